"""Two Adams on one model: each goes on with its own slots, powers, steps and betas."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import differences
from dialects import Dialect, each_dialect
from generate.keras_models import mlp
from optimizers import ADAM, by_attribute
from training import (
    AFTER,
    STEPS,
    Expected,
    Handover,
    Training,
    Values,
    assert_complete,
    assert_same_losses,
    assert_values,
    difference,
    expected,
)

CASE = "two_adams"
BODY, HEAD = "body_optimizer", "head_optimizer"


def of_head(truth: Expected) -> Expected:
    """As if there were only the optimizer of the head."""
    given = truth.hyperparameters
    own = {name: given[f"head_{name}"] for name in ("learning_rate", "beta1", "beta2")}
    return replace(truth, hyperparameters=own)


def program(dialect: Dialect, truth: Expected) -> Training:
    model = mlp(dialect.keras)
    variables = model.trainable_variables
    body, head = (ADAM.make(dialect, t.hyperparameters) for t in (truth, of_head(truth)))
    return Training(dialect, model, {BODY: (body, variables[:4]), HEAD: (head, variables[4:])})


def taken_over(dialect: Dialect, truth: Expected, folder: Path) -> Training:
    return Handover.of(CASE, folder).take_over(lambda: program(dialect, truth))


def values(training: Training, truth: Expected) -> Values:
    """The head has taken every other step only."""
    weights = by_attribute(training.model)
    found = {name: (weights[name], truth.variables[name], 0) for name in weights}
    for at, steps, known in ((BODY, STEPS, truth), (HEAD, STEPS // 2, of_head(truth))):
        optimizer, trained = training.optimizers[at]
        own = {n: v for n, v in weights.items() if any(v is other for other in trained)}
        slots = ADAM.values(training.dialect, optimizer, own, known, steps)
        found |= {f"{at}: {label}": value for label, value in slots.items()}
    return found


def losses(training: Training, truth: Expected) -> np.ndarray:
    batches = zip(truth.inputs[:AFTER], truth.targets[:AFTER], strict=True)
    in_turn = [(BODY, HEAD), (BODY,)]
    return np.array([training.loss(*b, in_turn[at % 2]) for at, b in enumerate(batches)])


@each_dialect
def test_each_goes_on_by_itself(dialect, tmp_path):
    truth = expected(CASE)
    training = taken_over(dialect, truth, tmp_path)
    right = values(training, truth)
    assert_values(right)
    assert_complete(training, right)
    found = losses(training, truth)
    differences.note(CASE, dialect.name, difference(found, truth))
    assert_same_losses(found, truth)


@each_dialect
def test_the_step_of_the_other_is_noticed(dialect, tmp_path):
    truth = expected(CASE)
    training = taken_over(dialect, truth, tmp_path)
    right = values(training, truth)
    right[f"{HEAD}: iterations"][0].assign(STEPS)
    with pytest.raises(AssertionError, match="not the values TF1 had"):
        assert_values(right)
    with pytest.raises(AssertionError, match="losses differ"):
        assert_same_losses(losses(training, truth), truth)
