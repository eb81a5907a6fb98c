"""Files that people mistake for checkpoints."""

import pickle
from pathlib import Path

import numpy as np
import tensorflow as tf

from generate.registry import case
from generate.tf1 import rng_for, tf1


@case("foreign")
def foreign(directory: Path) -> None:
    weights = {"dense/kernel": rng_for("foreign").random((3, 2), np.float32)}
    (directory / "variables.pkl").write_bytes(pickle.dumps(weights))
    np.savez(directory / "variables.npz", **weights)

    model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(2, name="dense")])
    model.save_weights(directory / "weights.h5")

    with tf.Graph().as_default() as graph, tf1.Session():
        tf.constant(weights["dense/kernel"], name="dense/kernel")
        (directory / "frozen.pb").write_bytes(graph.as_graph_def().SerializeToString())
