"""A partitioned table of sixteen bits, which TensorFlow can save and not read whole: it becomes one
variable of a Keras model, and training goes on with its slots."""

import numpy as np
import pytest
import tensorflow as tf

from dialects import every_dialect
from harness import leaves
from optimizers import ADAM, Case, arguments_and
from training import assert_complete, assert_values, difference

# Keras and TF1 round an update of sixteen bits at different places.
CLOSE = 1e-3


def bag(keras):
    """The mean of some rows of a table, and a dense layer."""

    class Bag(keras.Model):
        def __init__(self):
            super().__init__()
            self.table = keras.layers.Embedding(10, 4, dtype="float16")
            self.head = keras.layers.Dense(2)

        def call(self, ids, training=False):
            return self.head(tf.reduce_mean(tf.cast(self.table(ids), tf.float32), axis=1))

    model = Bag()
    model(np.zeros((1, 6), np.int32))
    return model


def weights(model) -> dict:
    table = {"model/embedding": model.table.embeddings}
    return table | leaves("model/dense", model.head)


CASE = Case("half_embedding", arguments_and(ADAM, epsilon=1e-3), bag, weights)


@pytest.mark.only("2.15")
def test_tensorflow_cannot_read_it():
    reader = tf.train.load_checkpoint(str(CASE.graph.with_suffix("")))
    assert reader.get_variable_to_shape_map()["model/embedding"] == [10, 4]
    with pytest.raises(Exception, match="Dtype half not supported"):
        reader.get_tensor("model/embedding")


@every_dialect
def test_goes_on_as_tf1_would_have(dialect, tmp_path, announce):
    training = CASE.taken_over(dialect, tmp_path)
    values = CASE.values(training)
    assert_values(values)
    assert_complete(training, values)
    assert training.model.table.embeddings.dtype == "float16"
    truth = CASE.truth
    outputs = training.outputs(truth.inputs[0])
    assert np.max(np.abs(outputs - truth.outputs)) <= 1e-6 * np.max(np.abs(truth.outputs))
    apart = difference(training.losses(truth), truth)
    later = training.outputs(truth.inputs[0])
    off = np.max(np.abs(later - truth.later_outputs)) / np.max(np.abs(truth.later_outputs))
    announce(f"{dialect}: losses of ten steps within {apart:.1e}, outputs after them {off:.1e}")
    assert apart <= CLOSE and off <= CLOSE
    for one, other in [("m", "v"), ("v", "m")]:
        variable, value, _ = values[f"model/embedding/{one}"]
        assert np.any(value != values[f"model/embedding/{other}"][1])
        # What a converter that gives up on the slots leaves behind shows in the next steps.
        for label, (variable, value, _) in values.items():
            variable.assign(np.zeros_like(value) if label.endswith(f"/{one}") else value)
        assert difference(training.losses(truth), truth) > CLOSE
