"""TF1 checkpoints as they also are: other counters, lost powers, what does not fit together."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from dialects import Dialect, each_dialect
from generate.keras_models import mlp
from optimizers import ADAM, BY_FIXTURE
from training import (
    STEPS,
    Handover,
    Training,
    assert_complete,
    assert_same_losses,
    assert_values,
)

ADAMS = BY_FIXTURE["adam"]
Tensors = dict[str, np.ndarray]


def write(prefix: Path, tensors: Tensors) -> None:
    """As a Saver does."""
    names, shapes = list(tensors), [""] * len(tensors)
    values = [tf.constant(tensors[name]) for name in names]
    tf.raw_ops.SaveV2(
        prefix=str(prefix), tensor_names=names, shape_and_slices=shapes, tensors=values
    )


def changed(folder: Path, change: Callable[[Tensors], None], optimizer: str = "to: optimizer"):
    """The checkpoint with Adam, changed; `optimizer` is what its rules say of that."""
    handover = ADAMS.handover(folder)
    reader = tf.train.load_checkpoint(str(handover.source))
    tensors = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    change(tensors)
    write(folder / "old", tensors)
    shutil.copy(ADAMS.graph, folder / "old.meta")
    rules = folder / "rules.yaml"
    text = handover.rules.read_text()
    rules.write_text(text.replace("{to: optimizer}", f"{{{optimizer}}}"))
    return replace(handover, source=folder / "old", rules=rules)


def assert_goes_on(handover: Handover, dialect: Dialect) -> None:
    training = handover.take_over(lambda: ADAMS.training(dialect))
    values = ADAMS.values(training)
    assert_values(values)
    assert_complete(training, values)
    assert_same_losses(training.losses(ADAMS.truth), ADAMS.truth)


def own_counter(tensors: Tensors) -> None:
    """`tf.Variable(0, name="step")`, as many wrote it, is no int64."""
    tensors["train/step"] = np.int32(tensors.pop("global_step"))


def small_counter(tensors: Tensors) -> None:
    tensors["global_step"] = np.int32(tensors["global_step"])


def no_counter(tensors: Tensors) -> None:
    del tensors["global_step"]


def underflowed(*powers: str) -> Callable[[Tensors], None]:
    """As after some hundred steps."""

    def change(tensors: Tensors) -> None:
        no_counter(tensors)
        tensors.update(dict.fromkeys(powers, np.float32(0)))

    return change


@each_dialect
def test_a_counter_of_32_bits(dialect, tmp_path):
    assert_goes_on(changed(tmp_path, small_counter), dialect)


@each_dialect
def test_a_counter_of_one_s_own(dialect, tmp_path):
    handover = changed(tmp_path, own_counter, "to: optimizer, iterations: train/step")
    assert_goes_on(handover, dialect)


@each_dialect
def test_no_counter_and_one_power_that_is_left(dialect, tmp_path):
    assert_goes_on(changed(tmp_path, underflowed("beta1_power")), dialect)


@each_dialect
def test_nothing_is_left_that_knows_the_steps(dialect, tmp_path):
    change = underflowed("beta1_power", "beta2_power")
    handover = changed(tmp_path, change)
    handover.write_template(ADAMS.training(dialect))
    said = handover.refused()
    assert "iterations:" in said
    assert "beta2_power" in said
    assert_goes_on(changed(tmp_path, change, f"to: optimizer, iterations: {STEPS}"), dialect)


@each_dialect
def test_a_counter_that_contradicts_the_powers(dialect, tmp_path):
    """It may have been set back; the powers know better, but it is not for us to say."""

    def change(tensors: Tensors) -> None:
        tensors["global_step"] = np.int64(7)

    handover = changed(tmp_path, change)
    handover.write_template(ADAMS.training(dialect))
    said = handover.convert()
    assert "warning" in said
    assert "20 steps" in said
    assert "7" in said


def trains_less(tensors: Tensors) -> None:
    """The first layer was frozen."""
    for name in list(tensors):
        if name.startswith("model/dense/") and "Adam" in name:
            del tensors[name]


@each_dialect
def test_some_variables_were_not_trained(dialect, tmp_path):
    def program() -> Training:
        model, optimizer = mlp(dialect.keras), ADAM.make(dialect, ADAMS.truth.hyperparameters)
        return Training(dialect, model, {"optimizer": (optimizer, model.trainable_variables[2:])})

    training = changed(tmp_path, trains_less).take_over(program)
    values = ADAMS.values(training)
    assert_values(values)
    assert_complete(training, values)


@each_dialect
def test_some_variables_are_trained_only_now(dialect, tmp_path):
    handover = changed(tmp_path, trains_less)
    handover.write_template(ADAMS.training(dialect))
    assert "hidden_1" in handover.refused()


GRAPHS = {
    "of another optimizer": lambda: BY_FIXTURE["momentum"].graph.read_bytes(),
    "of another model": lambda: (ADAMS.graph.parents[2] / "conv3/model.ckpt.meta").read_bytes(),
    "fetched by nobody": lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "cut off": lambda: ADAMS.graph.read_bytes()[:20_000],
    "empty": lambda: b"",
}


@each_dialect
@pytest.mark.parametrize("graph", GRAPHS.values(), ids=list(GRAPHS))
def test_a_graph_that_is_no_help(graph, dialect, tmp_path):
    """Values never depend on it."""
    handover = changed(tmp_path, lambda _: None)
    (tmp_path / "old.meta").write_bytes(graph())
    assert_goes_on(handover, dialect)
