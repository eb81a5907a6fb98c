"""Recurrent networks as TF1 programs wrote them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from families import Source, random_input, tf1
from flavours import tf1_cells

# As many units as inputs, so that two layers in a row have the same shape.
UNITS = 4
SEQUENCES = random_input("sequences", 3, 5, UNITS)


def forward(cell: Any, x: Any) -> Any:
    outputs, _ = tf1.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    return outputs


def both_ways(cell: Callable[[], Any], x: Any) -> Any:
    """With a cell for each."""
    outputs, _ = tf1.nn.bidirectional_dynamic_rnn(cell(), cell(), x, dtype=tf.float32)
    return tf.concat(outputs, axis=-1)


def stack(*cells: Any) -> Any:
    return tf1_cells.MultiRNNCell(list(cells))


def both_ways_twice(cell: Callable[[], Any], x: Any) -> Any:
    """Contrib's `stack_bidirectional_dynamic_rnn`, from its scopes."""
    for layer in range(2):
        with tf1.variable_scope(f"stack_bidirectional_rnn/cell_{layer}"):
            x = both_ways(cell, x)
    return x


class CudnnCompatibleGRUCell(tf1_cells.GRUCell):
    """Contrib's, from its formula: what a `CudnnGRU` computes, and how it is saved."""

    def build(self, inputs_shape: Any) -> None:
        inputs, units = inputs_shape[-1], self._num_units

        def weight(name: str, *shape: int) -> Any:
            return self.add_weight(name, shape=shape, dtype=tf.float32)

        self.gates_kernel = weight("gates/kernel", inputs + units, 2 * units)
        self.gates_bias = weight("gates/bias", 2 * units)
        self.input_kernel = weight("candidate/input_projection/kernel", inputs, units)
        self.input_bias = weight("candidate/input_projection/bias", units)
        self.hidden_kernel = weight("candidate/hidden_projection/kernel", units, units)
        self.hidden_bias = weight("candidate/hidden_projection/bias", units)
        self.built = True

    def call(self, x: Any, state: Any) -> tuple[Any, Any]:
        gates = tf.concat([x, state], axis=1) @ self.gates_kernel + self.gates_bias
        reset, update = tf.split(tf.sigmoid(gates), 2, axis=1)
        hidden = state @ self.hidden_kernel + self.hidden_bias
        candidate = tf.tanh(x @ self.input_kernel + self.input_bias + reset * hidden)
        state = (1 - update) * candidate + update * state
        return state, state


def cudnn_lstm_cell() -> Any:
    """Contrib's is this one, but for how it is computed."""
    return tf1_cells.LSTMCell(UNITS, forget_bias=0.0, name="cudnn_compatible_lstm_cell")


def cudnn(scope: str, network: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """As a layer of contrib is saved: under its name, in the cells that could stand for it."""

    def build(x: Any) -> Any:
        with tf1.variable_scope(scope):
            return network(x)

    return build


def saved_as(source: Source, name: Callable[[str], str], folder: Path) -> Source:
    """The same values under other names, as an older TensorFlow would have given them."""
    prefix = str(folder / "renamed.ckpt")
    values = {name(old): value for old, value in source.values.items()}
    with tf1.Graph().as_default(), tf1.Session() as session:
        variables = {new: tf1.Variable(value) for new, value in values.items()}
        session.run(tf1.global_variables_initializer())
        tf1.train.Saver(variables).save(session, prefix, write_state=False)
    return replace(source, prefix=prefix)
