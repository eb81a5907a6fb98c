"""Whatever TensorFlow ever wrote: converted, it is read by TensorFlow as what it was before."""

import json
from pathlib import Path

import pytest
import tensorflow as tf

from flavours import FLAVOURS
from generate.manifest import describe
from harness import (
    TESTDATA,
    assert_bit_identical,
    assert_same_outputs,
    convert,
    restore,
    run,
    tf1_run,
    tf1_values,
)
from programs import conv3

RULES = "version: 1\noptimizer: plain\nrules: [{from: '(?s).+', to: {labels: [all, '$0']}}]\n"
# No label of a path can have a zero character.
RENAME = 'rename: [{find: "\\0", replace: NUL}]\n'
RUNNING = ".".join(tf.__version__.split(".")[:2])
# TensorFlow drops the high bits of values that do not fit their type, and says nothing.
CUT_OFF = "/too_large"
SPLIT = "partitioned/object_based/model.ckpt"


def archives() -> list[tuple[Path, dict]]:
    """Every checkpoint of names that the running TensorFlow wrote, and what it read there."""
    found = []
    for folder in ("v1", "partitioned", "odd", "dtypes_tf215", "dtypes_tf221"):
        for file in sorted((TESTDATA / folder).rglob("manifest.json")):
            manifest = json.loads(file.read_text())
            if manifest["tensorflow"].startswith(RUNNING):
                found += [
                    (file.parent / prefix, checkpoint)
                    for prefix, checkpoint in manifest["checkpoints"].items()
                    if checkpoint["format"] == "name-based"
                ]
    return found


ARCHIVES = archives()


def key(name: str) -> str:
    label = name.replace("\0", "NUL").replace(".", "..").replace("/", ".S")
    return f"all/{label}/.ATTRIBUTES/VARIABLE_VALUE"


def wanted(checkpoint: dict) -> dict[str, dict]:
    """By key of the new checkpoint; what was in parts is whole."""
    joined = checkpoint.get("joined", {})
    parts = {name for whole in joined.values() for name in whole.pop("from")}
    tensors = {n: t for n, t in (checkpoint["tensors"] | joined).items() if n not in parts}
    whole = {n: {k: v for k, v in t.items() if k != "slices"} for n, t in tensors.items()}
    return {key(name): tensor for name, tensor in whole.items()}


@pytest.mark.parametrize(
    ("source", "checkpoint"), ARCHIVES, ids=[str(at.relative_to(TESTDATA)) for at, _ in ARCHIVES]
)
def test_converted_and_read_again(source, checkpoint, tmp_path):
    rules, new = tmp_path / "rules.yaml", tmp_path / "new"
    text = RULES + RENAME * any("\0" in name for name in checkpoint["tensors"])
    rules.write_text(text)
    tensors = wanted(json.loads(json.dumps(checkpoint)))
    flags = ("--map", rules, "-o", new, "--for", "read", "--shard-size", "1kB")
    if not tensors:
        run("convert", source, *flags, status=1)
        return
    if any(name.endswith(CUT_OFF) for name in checkpoint["tensors"]):
        assert "which is no" in run("convert", source, *flags, status=2)
        rules.write_text(text.replace("rules: [", f"rules: [{{drop: ['.+{CUT_OFF}']}}, "))
        tensors = {name: t for name, t in tensors.items() if ".Stoo_large/" not in name}
    run("convert", source, *flags)
    read = describe(new)["tensors"]
    del read["_CHECKPOINTABLE_OBJECT_GRAPH"]
    assert read == tensors
    # Out of TensorFlow's hands, and back: the same bytes once more.
    run("verify", new, "--against", source, "--map", rules, "--for", "read")


@pytest.mark.only("2.21")
def test_objects_whose_variables_were_split(tmp_path):
    """`MaxShardSizePolicy` cuts large variables up; as a template it gives them whole."""
    source, rules, new = TESTDATA / SPLIT, tmp_path / "rules.yaml", tmp_path / "new"
    rules.write_text("version: 1\nrules: [{from: '.+', to: '$0'}]\n")
    run("convert", source, "--map", rules, "--like", source, "-o", new, "--for", "read")
    (before,) = json.loads((source.parent / "manifest.json").read_text())["checkpoints"].values()
    whole = {n: {k: v for k, v in t.items() if k != "slices"} for n, t in before["tensors"].items()}
    after = describe(new)["tensors"]
    graph = "_CHECKPOINTABLE_OBJECT_GRAPH"
    assert (after | {graph: None}) == (whole | {graph: None})


@pytest.mark.only("2.15")
def test_a_program_goes_on_from_version_1(output):
    rules = TESTDATA / "conv3" / "rules-keras2.yaml"
    prefix = convert(TESTDATA / "v1/conv3/model.ckpt", rules, output)
    program = conv3(FLAVOURS["keras2"])
    inputs, outputs = tf1_run("v1/conv3")
    program.build("v1/conv3", inputs)
    restore(program, prefix)
    assert_bit_identical(program.variables(), tf1_values("v1/conv3"))
    assert_same_outputs(program.call(inputs), outputs)
