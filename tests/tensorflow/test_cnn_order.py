"""A model whose Keras attributes were created in another order than the layers of TF1."""

import numpy as np
import pytest

from dialects import each_dialect
from harness import assert_same_outputs
from optimizers import CASES, cnn

CNNS = [case for case in CASES if case.build is cnn]
each_cnn = pytest.mark.parametrize("case", CNNS, ids=str)
# Keras 3 averages the biased variance of the batches, TF1 and Keras 2 the unbiased one.
BIASED_VARIANCE = (1e-3, 5e-3)


@each_dialect
def test_the_order_is_another_one(dialect):
    """If it were not, the tests here and in `test_optimizers.py` would show less than they say."""
    case = CNNS[0]
    training = case.training(dialect)
    names = {id(variable): name for name, variable in case.weights(training.model).items()}
    order = [names[id(variable)] for variable in training.model.trainable_variables]
    created = [name for name in case.truth.variables if name in order]
    assert sorted(order) == sorted(created)
    assert order != created


@each_dialect
@each_cnn
def test_the_same_outputs(case, dialect, tmp_path):
    training = case.taken_over(dialect, tmp_path)
    inputs = case.truth.inputs[0]
    assert_same_outputs(training.outputs(inputs), case.truth.outputs)


@each_dialect
@pytest.mark.parametrize("case", [case for case in CNNS if case.fixture != "cnn_adam"], ids=str)
def test_the_same_outputs_ten_steps_later(case, dialect, tmp_path):
    """Without Adam: a bias before a normalisation has gradients of rounding errors only, and Adam
    makes whole steps of them, other ones in every program, which the averages follow."""
    training = case.taken_over(dialect, tmp_path)
    training.losses(case.truth)
    outputs, later = training.outputs(case.truth.inputs[0]), case.truth.later_outputs
    if dialect.name != "keras3":
        assert_same_outputs(outputs, later)
        return
    least, most = BIASED_VARIANCE
    assert least <= np.max(np.abs(outputs - later)) / np.max(np.abs(later)) <= most
