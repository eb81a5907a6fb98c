"""Recurrent layers, of TF1 itself and of cuDNN."""

from collections.abc import Callable
from functools import partial, reduce
from pathlib import Path
from typing import Any

import tensorflow as tf

from cells import (
    SEQUENCES,
    UNITS,
    CudnnCompatibleGRUCell,
    both_ways,
    both_ways_twice,
    cudnn,
    cudnn_lstm_cell,
    forward,
    stack,
)
from family_estimator import DNN
from families import Family, Source, Target, Values, family, misfit, save, tf1
from flavours import FLAVOURS, tf1_cells
from generate.cells import from_basic_rnn, from_cudnn_gru, from_cudnn_lstm, from_gru, from_lstm

# Cells of Keras by the scopes of TF1 that they come from.
Cells = dict[str, Any]
LEAVES = ("kernel", "recurrent_kernel", "bias")
CONVERSIONS = {
    "basic_rnn_cell": from_basic_rnn,
    "basic_lstm_cell": from_lstm,
    "lstm_cell": from_lstm,
    "gru_cell": from_gru,
    "cudnn_compatible_lstm_cell": from_cudnn_lstm,
    "cudnn_compatible_gru_cell": from_cudnn_gru,
}
# What Keras's layers are told.
SEQUENCE, BEFORE = {"return_sequences": True}, {"reset_after": False}
LAYERS, DIRECTIONS = ("/cell_0/", "/cell_1/"), ("/fw/", "/bw/")


def recurrent(
    mapping: str,
    what: str,
    network: Callable[[Any], Any],
    layers: Callable[[Any], list],
    cells: Callable[[list], Cells],
    swap: tuple[str, str],
    flags: tuple[str, ...] = (),
    forget_bias: float | None = None,
) -> Family:
    """A family for each Keras there is, of which it returns one."""

    def source(folder: Path) -> Source:
        return save(lambda: network(tf.constant(SEQUENCES)), folder, what)

    def value(scope: str, stored: Values) -> list:
        convert = CONVERSIONS[scope.rpartition("/")[2]]
        more = {} if forget_bias is None else {"forget_bias": forget_bias}
        return convert(stored, scope, **more)

    def build(keras: Any) -> Target:
        # Names are counted from the beginning.
        keras.backend.clear_session()
        made, inputs = layers(keras.layers), keras.Input(SEQUENCES.shape[1:])
        model = keras.Model(inputs, reduce(lambda x, layer: layer(x), made, inputs))

        def variables(stored: Values) -> list:
            return [
                pair
                for scope, cell in cells(made).items()
                for pair in zip(
                    (getattr(cell, leaf) for leaf in LEAVES), value(scope, stored), strict=True
                )
            ]

        return Target({"model": model}, partial(model, SEQUENCES), variables)

    families = [
        family(
            mapping=mapping,
            target=f"{name} {what}",
            source=source,
            build=partial(build, keras),
            swap=swap,
            flags=flags,
        )
        for name, keras in FLAVOURS.items()
    ]
    return families[-1]


def stacked(cells: list, *kinds: str, scope: str = "rnn") -> Cells:
    return {
        f"{scope}/multi_rnn_cell/cell_{i}/{kind}": cell
        for i, (kind, cell) in enumerate(zip(kinds, cells, strict=True))
    }


def directions(layer: Any, kind: str, scope: str = "bidirectional_rnn") -> Cells:
    return {
        f"{scope}/fw/{kind}": layer.forward_layer.cell,
        f"{scope}/bw/{kind}": layer.backward_layer.cell,
    }


def basic_rnn() -> Any:
    return tf1_cells.BasicRNNCell(UNITS)


def basic_lstm() -> Any:
    return tf1_cells.BasicLSTMCell(UNITS)


def lstm(**options: Any) -> Any:
    return tf1_cells.LSTMCell(UNITS, **options)


def gru() -> Any:
    return tf1_cells.GRUCell(UNITS)


LSTM = recurrent(
    "rnn-keras",
    "LSTM, LSTM",
    lambda x: forward(stack(basic_lstm(), basic_lstm()), x),
    lambda layers: [layers.LSTM(UNITS, **SEQUENCE) for _ in range(2)],
    lambda made: stacked([layer.cell for layer in made], "basic_lstm_cell", "basic_lstm_cell"),
    LAYERS,
)
recurrent(
    "rnn-keras",
    "GRU, GRU, SimpleRNN",
    lambda x: forward(stack(gru(), gru(), basic_rnn()), x),
    lambda layers: [
        layers.GRU(UNITS, **SEQUENCE, **BEFORE),
        layers.GRU(UNITS, **SEQUENCE, **BEFORE),
        layers.SimpleRNN(UNITS, **SEQUENCE, name="simple_rnn_2"),
    ],
    lambda made: stacked([layer.cell for layer in made], "gru_cell", "gru_cell", "basic_rnn_cell"),
    LAYERS,
)


def forgetful(x: Any) -> Any:
    """In a scope of its own."""
    cells = [lstm(forget_bias=0.25) for _ in range(2)]
    with tf1.variable_scope("encoder"):
        return forward(stack(*cells), x)


# In a list, Keras 3 would not save cells.
recurrent(
    "rnn-keras",
    "RNN of LSTMCells",
    forgetful,
    lambda layers: [layers.RNN((layers.LSTMCell(UNITS), layers.LSTMCell(UNITS)), **SEQUENCE)],
    lambda made: stacked(made[0].cell.cells, "lstm_cell", "lstm_cell", scope="encoder/rnn"),
    LAYERS,
    ("--set", "scope=encoder/rnn", "--set", "forget_bias=0.25"),
    forget_bias=0.25,
)
recurrent(
    "rnn-keras",
    "RNN of GRUCells and SimpleRNNCell",
    lambda x: forward(stack(gru(), gru(), basic_rnn()), x),
    lambda layers: [
        layers.RNN(
            (
                layers.GRUCell(UNITS, **BEFORE),
                layers.GRUCell(UNITS, **BEFORE),
                layers.SimpleRNNCell(UNITS, name="simple_rnn_cell_2"),
            ),
            **SEQUENCE,
        )
    ],
    lambda made: stacked(made[0].cell.cells, "gru_cell", "gru_cell", "basic_rnn_cell"),
    LAYERS,
)
recurrent(
    "rnn-keras",
    "LSTM, GRU of both directions",
    lambda x: both_ways(gru, forward(lstm(), x)),
    lambda layers: [
        layers.LSTM(UNITS, **SEQUENCE),
        layers.Bidirectional(layers.GRU(UNITS, **SEQUENCE, **BEFORE)),
    ],
    lambda made: {"rnn/lstm_cell": made[0].cell} | directions(made[1], "gru_cell"),
    DIRECTIONS,
)
recurrent(
    "rnn-keras",
    "GRU, SimpleRNN of both directions",
    lambda x: both_ways(basic_rnn, forward(gru(), x)),
    lambda layers: [
        layers.GRU(UNITS, **SEQUENCE, **BEFORE),
        layers.Bidirectional(layers.SimpleRNN(UNITS, **SEQUENCE)),
    ],
    lambda made: {"rnn/gru_cell": made[0].cell} | directions(made[1], "basic_rnn_cell"),
    DIRECTIONS,
)
recurrent(
    "rnn-keras",
    "SimpleRNN, LSTM of both directions",
    lambda x: both_ways(basic_lstm, forward(basic_rnn(), x)),
    lambda layers: [
        layers.SimpleRNN(UNITS, **SEQUENCE, name="encoder"),
        layers.Bidirectional(layers.LSTM(UNITS, **SEQUENCE)),
    ],
    lambda made: {"rnn/basic_rnn_cell": made[0].cell} | directions(made[1], "basic_lstm_cell"),
    DIRECTIONS,
    ("--set", "simple_rnn=encoder"),
)


def cudnn_gru_cell() -> Any:
    return CudnnCompatibleGRUCell(UNITS)


def of_both(layers: list, scope: str, kind: str) -> Cells:
    """A stack that contrib made."""
    found: Cells = {}
    for i, layer in enumerate(layers):
        nth = f"{scope}/stack_bidirectional_rnn/cell_{i}/bidirectional_rnn"
        found |= directions(layer, kind, nth)
    return found


def cudnn_lstm_and_gru(x: Any) -> Any:
    x = cudnn("cudnn_lstm", partial(forward, stack(cudnn_lstm_cell(), cudnn_lstm_cell())))(x)
    return cudnn("cudnn_gru", partial(both_ways_twice, cudnn_gru_cell))(x)


def cudnn_gru_and_lstm(x: Any) -> Any:
    x = cudnn("cudnn_gru", partial(forward, stack(cudnn_gru_cell(), cudnn_gru_cell())))(x)
    return cudnn("cudnn_lstm", partial(both_ways_twice, cudnn_lstm_cell))(x)


LSTM_NAME, GRU_NAME = "cudnn_compatible_lstm_cell", "cudnn_compatible_gru_cell"
CUDNN = recurrent(
    "cudnn-rnn-keras",
    "LSTM, LSTM; GRU, GRU of both directions",
    cudnn_lstm_and_gru,
    lambda layers: [
        *(layers.LSTM(UNITS, **SEQUENCE) for _ in range(2)),
        *(layers.Bidirectional(layers.GRU(UNITS, **SEQUENCE)) for _ in range(2)),
    ],
    lambda made: {
        **stacked([layer.cell for layer in made[:2]], *[LSTM_NAME] * 2, scope="cudnn_lstm/rnn"),
        **of_both(made[2:], "cudnn_gru", GRU_NAME),
    },
    DIRECTIONS,
)
recurrent(
    "cudnn-rnn-keras",
    "GRU, GRU; LSTM, LSTM of both directions",
    cudnn_gru_and_lstm,
    lambda layers: [
        *(layers.GRU(UNITS, **SEQUENCE) for _ in range(2)),
        *(layers.Bidirectional(layers.LSTM(UNITS, **SEQUENCE)) for _ in range(2)),
    ],
    lambda made: {
        **stacked([layer.cell for layer in made[:2]], *[GRU_NAME] * 2, scope="cudnn_gru/rnn"),
        **of_both(made[2:], "cudnn_lstm", LSTM_NAME),
    },
    DIRECTIONS,
)

misfit(LSTM, "use builtin:cudnn-rnn-keras", source=CUDNN)
misfit(CUDNN, "no cells in scopes called `cudnn_lstm` or `cudnn_gru`", source=LSTM)
for rules in (LSTM, CUDNN):
    misfit(rules, "the template has no layers by the names of Keras", template=DNN)
