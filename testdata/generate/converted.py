"""Where the cells of `recurrent/` lead, as Keras itself writes it, and templates for that.

With these, whoever converts without TensorFlow has something to compare with.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from generate.cells import Values, from_gru, from_lstm
from generate.keras_models import gru, recurrent
from generate.objects import fill
from generate.registry import TESTDATA, case
from generate.tf1 import PREFIX

LAYERS, BOTH = "rnn/multi_rnn_cell/cell_", "bidirectional_rnn/"
Weights = list[np.ndarray]


def lstm_weights(values: Values) -> Weights:
    layers = [f"{LAYERS}0", f"{LAYERS}1", f"{BOTH}fw", f"{BOTH}bw"]
    return [w for layer in layers for w in from_lstm(values, f"{layer}/basic_lstm_cell")]


def gru_weights(values: Values) -> Weights:
    cells = [w for i in range(2) for w in from_gru(values, f"{LAYERS}{i}/gru_cell")]
    return [*cells, values["dense/kernel"], values["dense/bias"]]


def write(model, directory: Path) -> None:
    tf.train.Checkpoint(model=model).write(str(directory / PREFIX))


def template(name: str, build: Callable, tensorflow: str) -> None:
    @case(f"templates/{name}", tensorflow)
    def write_template(directory: Path) -> None:
        model = build(tf.keras)
        fill(name, model.variables)
        write(model, directory)


def converted(name: str, source: str, build: Callable, weights: Callable, tensorflow: str) -> None:
    @case(f"recurrent/{name}", tensorflow)
    def write_converted(directory: Path) -> None:
        model = build(tf.keras)
        with np.load(TESTDATA / "recurrent" / source / "expected.npz") as arrays:
            known = {n.removeprefix("variables/"): arrays[n] for n in arrays}
        model.set_weights(weights(known))
        # It is right if, and only if, it computes the same.
        expected = known["outputs"]
        difference = np.max(np.abs(model(known["inputs"]) - expected))
        assert difference <= 1e-6 * np.max(np.abs(expected)), difference
        write(model, directory)


for keras, tensorflow in [("keras2", "2.15"), ("keras3", "2.21")]:
    for source, build, weights in [("lstm", recurrent, lstm_weights), ("gru", gru, gru_weights)]:
        template(f"{keras}_{source}", build, tensorflow)
        converted(f"{source}_{keras}", source, build, weights, tensorflow)
