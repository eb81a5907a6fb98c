"""Checkpoints of Keras 2 go to the optimizers that came after it, and to Keras 3."""

from dataclasses import replace

import pytest

import differences
from dialects import every_dialect
from harness import assert_same_outputs, restore
from optimizers import ADAM, MOMENTUM, Case
from training import (
    Handover,
    assert_complete,
    assert_same_losses,
    assert_values,
    difference,
)

SOURCES = [
    Case("keras_legacy_adam", ADAM),
    # Keras sums up steps, as the new program will: there is nothing left to convert.
    Case("keras_legacy_momentum", replace(MOMENTUM, convert=None)),
    Case("keras2_adam", ADAM),
]


@every_dialect
@pytest.mark.parametrize("case", SOURCES, ids=str)
def test_goes_on_as_keras_2_would_have(case, dialect, tmp_path):
    handover = Handover.of(case.fixture, tmp_path)
    template, training = case.training(dialect), case.training(dialect)
    right = training.hyperparameters()
    # The source has a value for this one, and the rules say that it counts.
    template.spoil_learning_rate()
    handover.write_template(template)
    handover.convert()
    training.fill_with_noise()
    restore(training, str(handover.new))
    assert training.hyperparameters() == right
    values = case.values(training)
    assert_values(values)
    assert_complete(training, values)
    assert_same_outputs(training.outputs(case.truth.inputs[0]), case.truth.outputs)
    losses = training.losses(case.truth)
    differences.note(case.fixture, dialect.name, difference(losses, case.truth))
    assert_same_losses(losses, case.truth)
