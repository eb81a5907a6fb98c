"""`verify --tensorflow`: the TensorFlow of this environment reads the result inside of ckptmap."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tensorflow as tf

from dialects import each_dialect
from flavours import VERSION
from harness import TESTDATA, run
from sharing import invert
from test_verify import converted

IDENTITY = "version: 1\nrules:\n  - {from: '(.+)', to: '$1'}\n"
GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
FOLDER = Path(tf.__file__).parent


def judge(*arguments, at=sys.executable, status=0, environment=None):
    """Runs the program that was built with the part that asks a TensorFlow."""
    named = os.environ.get("CKPTMAP_TENSORFLOW")
    if not named:
        raise RuntimeError("the environment variable CKPTMAP_TENSORFLOW must name that ckptmap")
    flag = "--tensorflow" if at is None else f"--tensorflow={at}"
    command = [named, "verify", *map(str, arguments), flag]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=100, env={**os.environ, **(environment or {})}
    )
    said = f"{done.stdout}{done.stderr}"
    assert done.returncode == status, f"{' '.join(command)}\nexit status {done.returncode}\n{said}"
    return said


def judged(handover, status=0, **options):
    against = ("--against", handover.source, "--map", handover.rules, "--like", handover.fresh)
    return judge(handover.new, *against, status=status, **options)


def by_tensorflow(said):
    """What stands behind the line that says who reads."""
    return said.split(f"read by TensorFlow {tf.__version__}: ")[1]


@each_dialect
@pytest.mark.parametrize("fixture", ["adam", "rmsprop_centered"])
def test_what_is_right(fixture, dialect, tmp_path):
    said = judged(converted(fixture, dialect, tmp_path))
    assert said.count("all equal") == 2 and "values: all equal" in by_tensorflow(said)


@pytest.mark.parametrize("types", ["dtypes_tf215", "dtypes_tf221", "partitioned/saver", "v1/conv3"])
def test_every_type(types, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text(IDENTITY)
    source, new = TESTDATA / types, tmp_path / "new" / "ckpt"
    run("convert", source, "--map", rules, "-o", new, "--shard-size", 200)
    report = json.loads(judge(new, "--against", source, "--map", rules, "--json"))
    found = report["tensorflow"]
    assert found["equal"] and found["version"] == tf.__version__
    # All but what it has no op for.
    left = {name.split("/")[0] for name in found["not_judged"]}
    assert all(name.startswith(("float8", "float4", "int2", "uint2")) for name in left), left
    assert found["values"] - len(found["not_judged"]) > 5


@each_dialect
def test_a_flipped_byte(dialect, tmp_path):
    handover = converted("adam", dialect, tmp_path)
    listed = json.loads(run("list", handover.new, "--json"))["variables"]
    # A slot, whatever the dialect calls it.
    slot = next(variable for variable in listed if "slot_of" in variable)
    shards = json.loads(run("list", handover.new, "--json"))["shards"]
    data = Path(f"{handover.new}.data-{slot['storage']['shard']:05}-of-{shards:05}")
    invert(data, slot["storage"]["offset"])
    said = judged(handover, status=2)
    ours, theirs = said.split("read by TensorFlow")
    for one in (ours, theirs):
        assert slot["name"] in one and "checksum" in one.lower(), said


@each_dialect
def test_swapped_neighbours(dialect, tmp_path):
    """Converted by rules that take two equal layers for one another, judged by the right ones."""
    wrong = converted("adam", dialect, tmp_path, "rules-swapped.yaml")
    right = replace(wrong, rules=wrong.rules.with_name("rules.yaml"))
    theirs = by_tensorflow(judged(right, status=1))
    for layer in ("hidden_1", "hidden_2"):
        for leaf in ("kernel", "bias"):
            assert any(
                line.startswith("other values") and layer in line and leaf in line
                for line in theirs.splitlines()
            ), theirs


@each_dialect
def test_a_missing_slot(dialect, tmp_path):
    handover = converted("adam", dialect, tmp_path)
    listed = json.loads(run("list", handover.new, "--json"))["variables"]
    slot = next(variable["name"] for variable in listed if "slot_of" in variable)
    reader = tf.train.load_checkpoint(handover.new)
    names = [name for name in reader.get_variable_to_shape_map() if name != slot]
    assert GRAPH in names
    less = str(tmp_path / "less")
    tf.raw_ops.SaveV2(
        prefix=less, tensor_names=names, shape_and_slices=[""] * len(names),
        tensors=[tf.constant(reader.get_tensor(name)) for name in names],
    )
    theirs = by_tensorflow(judged(replace(handover, new=less), status=1))
    missing = [line for line in theirs.splitlines() if line.startswith("missing")]
    assert len(missing) == 1, theirs


def test_where_it_may_be(tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text(IDENTITY)
    source, new = TESTDATA / "conv3", tmp_path / "new" / "ckpt"
    run("convert", source, "--map", rules, "-o", new)
    arguments = (new, "--against", source, "--map", rules)
    for at in (FOLDER, FOLDER.parent, sys.prefix, sys.executable):
        assert f"TensorFlow {tf.__version__}" in judge(*arguments, at=at)
    active = {"VIRTUAL_ENV": sys.prefix}
    said = judge(*arguments, at=None, environment=active)
    # It says nothing of its own.
    assert said == f"7 values: all equal\nread by TensorFlow {tf.__version__}: 7 values: all equal\n"
    nowhere = judge(*arguments, at=tmp_path, status=2)
    assert "libtensorflow_framework.so.2" in nowhere
    other = {"VIRTUAL_ENV": str(tmp_path)}
    assert "--tensorflow=DIR" in judge(*arguments, at=None, environment=other, status=2)
    # The usual program says what to do.
    without = run("verify", *arguments, "--tensorflow", status=2)
    assert "--features tensorflow" in without
    assert VERSION in tf.__version__
