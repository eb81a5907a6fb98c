"""TF1 trains and saves; Keras takes over, and its next steps have the losses TF1 would have had."""

from collections.abc import Callable
from dataclasses import replace

import pytest

import differences
from dialects import each_dialect, every_dialect
from mistakes import mistakes
from optimizers import CASES, CELL_CASES
from training import assert_complete, assert_same_losses, assert_values, difference

each_case = pytest.mark.parametrize("case", [*CASES, *CELL_CASES], ids=str)


@every_dialect
@each_case
def test_goes_on_as_tf1_would_have(case, dialect, tmp_path):
    training = case.taken_over(dialect, tmp_path)
    values = case.values(training)
    assert_values(values)
    if "--keep-missing" not in case.flags_for(dialect):
        assert_complete(training, values)
    losses = training.losses(case.truth)
    differences.note(case.fixture, dialect.name, difference(losses, case.truth))
    assert_same_losses(losses, case.truth, case.deviations.get(dialect.name))


def rejects(what: str, message: str, check: Callable, *arguments) -> None:
    try:
        check(*arguments)
    except AssertionError as rejection:
        assert message in str(rejection)
    else:
        pytest.fail(f"not noticed: {what}")


@each_dialect
@each_case
def test_wrong_mappings_are_noticed(case, dialect, tmp_path):
    """The checks above are worth as much as the mistakes that they find."""
    training = case.taken_over(dialect, tmp_path)
    values, truth = case.values(training), case.truth
    assert_values(values)
    if dialect.name in case.deviations:
        # Near TF1 is too wide a mark: what this program does with the right values is the truth.
        truth = replace(truth, losses=training.losses(truth))
    for what, spoil in mistakes(case).items():
        for variable, value, _ in values.values():
            variable.assign(value)
        spoil(values)
        rejects(what, "not the values TF1 had", assert_values, values)
        rejects(what, "losses differ", assert_same_losses, training.losses(truth), truth)
