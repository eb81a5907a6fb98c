"""Recurrent cells, which Keras holds in other pieces and in another order."""

from collections.abc import Callable

import tensorflow as tf

from generate.keras_models import OUTPUTS, SEQUENCE, UNITS
from generate.optimizers import ADAM, MOMENTUM, Model, optimizer, train
from generate.tf1 import tf1, tf1_model

cells = tf1.nn.rnn_cell


def stack(kind: Callable, x):
    layers = cells.MultiRNNCell([kind(UNITS), kind(UNITS)])
    # Without a loop, which would have to be known to be differentiated before it first runs.
    outputs, _ = tf1.nn.static_rnn(layers, tf.unstack(x, axis=1), dtype=tf.float32)
    return tf.stack(outputs, axis=1)


@tf1_model("recurrent/lstm", inputs=(2, *SEQUENCE))
def lstm(x):
    """Two layers and one of both directions: four cells of the same shape."""
    x = stack(cells.BasicLSTMCell, x)
    forward, backward = cells.BasicLSTMCell(UNITS), cells.BasicLSTMCell(UNITS)
    outputs, _ = tf1.nn.bidirectional_dynamic_rnn(forward, backward, x, dtype=tf.float32)
    return tf.concat(outputs, axis=-1)


def with_head(kind: Callable, x):
    return tf1.layers.dense(stack(kind, x)[:, -1], OUTPUTS)


@tf1_model("recurrent/gru", inputs=(2, *SEQUENCE))
def gru(x):
    return with_head(cells.GRUCell, x)


def model(kind: Callable) -> Model:
    return Model(SEQUENCE, lambda x, training: with_head(kind, x))


# Their state goes through the same pieces and the same order.
optimizer("lstm_adam", train.AdamOptimizer, model(cells.BasicLSTMCell), **ADAM)
optimizer("gru_momentum", train.MomentumOptimizer, model(cells.GRUCell), **MOMENTUM)
