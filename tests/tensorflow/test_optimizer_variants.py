"""Templates whose optimizers keep more, less, or the same in another order than usual."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import tensorflow as tf

from dialects import DIALECTS, LEGACY, Dialect, each_dialect
from generate.keras_models import listed, mlp
from optimizers import ADAM, Case, arguments_and, by_position
from training import Handover, Training, assert_complete, assert_same_losses, assert_values

CASE = Case("adam", ADAM)
OTHERS = [dialect for dialect in DIALECTS if dialect is not LEGACY]
without_legacy = pytest.mark.parametrize("dialect", OTHERS, ids=str)


def program(dialect: Dialect, choose=lambda variables: variables) -> Training:
    """Its optimizer trains the variables chosen from all of them."""
    model, optimizer = mlp(dialect.keras), ADAM.make(dialect, CASE.truth.hyperparameters)
    return Training(dialect, model, {"optimizer": (optimizer, choose(model.trainable_variables))})


def assert_right(training: Training) -> None:
    values = CASE.values(training)
    assert_values(values)
    assert_complete(training, values)
    assert_same_losses(training.losses(CASE.truth), CASE.truth)


@each_dialect
def test_another_order_than_the_model_s(dialect, tmp_path):
    """So was the template's, so is that of the program that restores."""
    handover = CASE.handover(tmp_path)
    assert_right(handover.take_over(lambda: program(dialect, lambda all: all[::-1])))


@each_dialect
def test_layers_that_are_not_trained_any_more(dialect, tmp_path):
    """What TF1 knew of them has no place now; the places of the others have moved up."""
    handover = CASE.handover(tmp_path)
    training = handover.take_over(lambda: program(dialect, lambda all: all[2:]))
    values = CASE.values(training)
    assert_values(values)
    assert_complete(training, values)
    assert "model/dense/kernel/m" not in values
    assert "model/dense_1/kernel/m" in values


def assert_the_rest_is_kept(case: Case, dialect: Dialect, folder: Path) -> None:
    training = case.handover(folder).take_over(lambda: case.training(dialect), "--keep-missing")
    assert_values(case.values(training))


@each_dialect
def test_maxima_of_amsgrad(dialect, tmp_path):
    """TF1 had none. In `_variables` they come after the slots."""
    assert_the_rest_is_kept(Case("adam", arguments_and(ADAM, amsgrad=True)), dialect, tmp_path)


@without_legacy
def test_averages_that_come_first(dialect, tmp_path):
    assert_the_rest_is_kept(Case("adam", arguments_and(ADAM, use_ema=True)), dialect, tmp_path)


def scaling(dialect: Dialect) -> tuple[Training, tf.train.Checkpoint]:
    """Its optimizer is wrapped for mixed precision."""
    training = CASE.training(dialect)
    optimizer, variables = training.optimizers["optimizer"]
    wrapper = dialect.keras.mixed_precision.LossScaleOptimizer(optimizer)
    dialect.build(wrapper, variables)
    return training, tf.train.Checkpoint(model=training.model, optimizer=wrapper)


@without_legacy
def test_an_optimizer_in_an_optimizer(dialect, tmp_path):
    """In Keras 2 the wrapper shows the state as its own, in Keras 3 it does not."""
    handover = CASE.handover(tmp_path)
    if dialect.name == "keras3":
        handover = replace(handover, rules=handover.rules.with_name("rules-wrapped.yaml"))
    _, template = scaling(dialect)
    template.write(str(handover.fresh))
    handover.convert("--keep-missing")
    training, checkpoint = scaling(dialect)
    training.fill_with_noise()
    status = checkpoint.restore(str(handover.new))
    status.assert_consumed()
    status.assert_existing_objects_matched()
    assert_right(training)


@each_dialect
def test_layers_of_one_name_are_not_mistaken(dialect, tmp_path):
    """A subclassed model may have them; they are told apart by where they are."""
    case = Case("adam", ADAM, partial(listed, names=("fc", "fc", "fc")), by_position)
    handover = Handover.of("adam", tmp_path, "rules-lists.yaml")
    if dialect.name == "keras2":
        # The name is all that leads from its slots to their variables.
        handover.write_template(case.training(dialect))
        assert "fc/kernel" in handover.refused()
        return
    training = handover.take_over(lambda: case.training(dialect))
    values = case.values(training)
    assert_values(values)
    assert_complete(training, values)
