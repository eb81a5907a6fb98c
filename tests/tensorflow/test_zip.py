"""Layers that nobody named are paired by their order, on both sides."""

from dataclasses import replace
from pathlib import Path

import pytest

from dialects import each_dialect
from generate.keras_models import functional
from optimizers import ADAM, Case, dense_weights
from training import Handover, assert_complete, assert_same_losses, assert_values

RULES = """\
version: 1
root: model
rules:
  - zip:
      from: 'model/dense(_\\d+)?/(?<leaf>.+)'
      onto: {{name: 'dense(_\\d+)?/(?<leaf>.+)'}}
      order: {order}
optimizer: {{to: optimizer}}
"""


def unnamed(keras):
    """As in a program that has made nine layers before: `dense_9`, `dense_10`, `dense_11`."""
    keras.backend.clear_session()
    for _ in range(9):
        keras.layers.Dense(1)
    return functional(keras, names=(None, None, None))


def in_order(model):
    return dense_weights(*model.layers[1:])


CASE = Case("adam", ADAM, unnamed, in_order)


def handover(folder: Path, order: str) -> Handover:
    rules = folder / "rules.yaml"
    rules.write_text(RULES.format(order=order))
    return replace(CASE.handover(folder), rules=rules)


@each_dialect
@pytest.mark.parametrize("order", ["natural", "{from: text, onto: natural}", "creation"])
def test_paired_by_order(order, dialect, tmp_path):
    training = handover(tmp_path, order).take_over(lambda: CASE.training(dialect))
    layers = [layer.name for layer in training.model.layers[1:]]
    assert layers == ["dense_9", "dense_10", "dense_11"]
    values = CASE.values(training)
    assert_values(values)
    assert_complete(training, values)
    assert_same_losses(training.losses(CASE.truth), CASE.truth)


@each_dialect
def test_an_order_that_does_not_fit(dialect, tmp_path):
    """As text, `dense_10` comes before `dense_9`."""
    wrong = handover(tmp_path, "text")
    wrong.write_template(CASE.training(dialect))
    said = wrong.refused()
    assert "model/dense_2/kernel" in said
    assert "[5, 5]" in said
    assert "[5, 2]" in said
