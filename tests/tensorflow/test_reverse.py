"""Back to TF1 by the same rules: every bit as it was, and TF1 can go on as well."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from dialects import each_dialect
from generate.manifest import Checkpoint, describe
from harness import convert, run
from optimizers import BY_FIXTURE, CASES, Case
from training import AFTER, Expected, Handover, assert_same_losses, same

tf1 = tf.compat.v1
each_case = pytest.mark.parametrize("case", CASES, ids=str)
# TF1's program comes from the graph beside the checkpoint, if that is small enough to be here.
WITH_GRAPH = [case for case in CASES if not case.deviations and case.graph.exists()]


def tensors(prefix: str | Path) -> dict[str, np.ndarray]:
    """By name; slots in parts that TensorFlow cannot read are put together."""
    checkpoint, wholes = Checkpoint(Path(prefix)), describe(Path(prefix)).get("joined", {})
    parts = {name for whole in wholes.values() for name in whole["from"]}
    read = {n: np.asarray(checkpoint.read(n)) for n in checkpoint.dtypes if n not in parts}
    return read | {name: checkpoint.joined(whole["from"]) for name, whole in wholes.items()}


def assert_same_tensors(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    assert sorted(found) == sorted(wanted)
    # What is divided by the learning rate that it was multiplied by need not be the same again.
    ulps = {name: int(name.endswith("/Momentum")) for name in wanted}
    wrong = [name for name in wanted if not same(found[name], wanted[name], ulps[name])]
    assert not wrong, f"not what they were: {wrong}"


def convert_back(handover: Handover, like: Path, *flags: str) -> str:
    flags = ("--reverse", "--like", like, *flags)
    return convert(handover.new, handover.rules, handover.folder / "back", *flags)


@each_dialect
@each_case
def test_there_and_back(case, dialect, tmp_path):
    handover = case.handover(tmp_path)
    handover.write_template(case.training(dialect))
    handover.convert(*case.flags_for(dialect))
    back = convert_back(handover, handover.source, *case.flags_for(dialect))
    assert_same_tensors(tensors(back), tensors(handover.source))


def names_only(case: Case, folder: Path) -> Path:
    """The old checkpoint without its data."""
    folder.mkdir()
    for suffix in ("index", "meta"):
        shutil.copy(f"{case.handover(folder).source}.{suffix}", folder / f"model.ckpt.{suffix}")
    return folder / "model.ckpt"


@each_dialect
@pytest.mark.parametrize("fixture", ["adam", "adam_powers", "momentum", "rmsprop_centered"])
def test_the_names_suffice(fixture, dialect, tmp_path):
    case = BY_FIXTURE[fixture]
    handover = case.handover(tmp_path)
    handover.write_template(case.training(dialect))
    handover.convert()
    found = tensors(convert_back(handover, names_only(case, tmp_path / "old")))
    wanted = tensors(handover.source)
    for power in [name for name in wanted if "_power" in name]:
        # TF1 has rounded after every step.
        np.testing.assert_allclose(found.pop(power), wanted.pop(power), rtol=2e-6)
    assert_same_tensors(found, wanted)


@each_dialect
def test_what_keras_has_no_place_for_is_asked_for(dialect, tmp_path):
    case = BY_FIXTURE["rmsprop_no_momentum"]
    handover = case.handover(tmp_path)
    handover.write_template(case.training(dialect))
    handover.convert()
    like = names_only(case, tmp_path / "old")
    arguments = ("--map", handover.rules, "--reverse", "--like", like, "-o", tmp_path / "back")
    said = run("convert", handover.new, *arguments, status=1)
    assert "RMSProp_1" in said
    assert not list(tmp_path.glob("back*"))


def losses_of_tf1(graph: Path, prefix: str, truth: Expected) -> np.ndarray:
    """TF1's own program goes on from `prefix`."""
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.train.import_meta_graph(str(graph)).restore(session, prefix)

        def loss(x: np.ndarray, y: np.ndarray) -> float:
            return session.run(("loss:0", "train"), {"inputs:0": x, "targets:0": y})[0]

        batches = zip(truth.inputs[AFTER:], truth.targets[AFTER:], strict=True)
        return np.array([loss(x, y) for x, y in batches])


@each_dialect
@pytest.mark.parametrize("case", WITH_GRAPH, ids=str)
def test_tf1_goes_on_after_keras_has(case, dialect, tmp_path):
    """Ten steps in Keras, ten more in TF1: as if TF1 had taken all of them."""
    training = case.taken_over(dialect, tmp_path)
    training.losses(case.truth)
    later = replace(case.handover(tmp_path), new=tmp_path / "later")
    training.checkpoint().write(str(later.new))
    prefix = convert_back(later, later.source, *case.flags_for(dialect))
    losses = losses_of_tf1(case.graph, prefix, case.truth)
    assert_same_losses(losses, replace(case.truth, losses=case.truth.losses[AFTER:]))
