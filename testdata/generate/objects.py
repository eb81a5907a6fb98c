"""Object-based checkpoints, as TF2 programs of every style write them."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from generate.registry import case
from generate.tf1 import PREFIX, random_value, rng_for


def fill(name: str, variables) -> None:
    rng = rng_for(name)
    for variable in variables:
        dtype = np.dtype(variable.dtype if isinstance(variable.dtype, str) else variable.dtype.name)
        if dtype.kind == "f":
            variable.assign(random_value(rng, variable.name.split(":")[0], dtype, variable.shape))


def classifier() -> tf.keras.Model:
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((6, 6, 3)),
            layers.Conv2D(4, 3, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.Flatten(),
            layers.Dense(3, name="head"),
        ]
    )


def train_one_step(model, optimizer, name: str) -> None:
    """So that the optimizer has its slots; they are filled with noise, like the weights."""
    gradients = [tf.ones(v.shape) for v in model.trainable_variables]
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    variables = optimizer.variables
    fill(name, [*model.variables, *(variables() if callable(variables) else variables)])


@case("tf2_keras2", tensorflow="2.15")
@case("tf2_keras3", tensorflow="2.21")
def keras_with_adam(directory: Path) -> None:
    model, optimizer = classifier(), tf.keras.optimizers.Adam()
    train_one_step(model, optimizer, "tf2_keras")
    tf.train.Checkpoint(model=model, optimizer=optimizer).write(str(directory / PREFIX))


@case("tf2_keras2_legacy")
def keras_with_legacy_adam(directory: Path) -> None:
    """Slots hang under their variables; `save` adds a number and a save counter."""
    model, optimizer = classifier(), tf.keras.optimizers.legacy.Adam()
    train_one_step(model, optimizer, "tf2_keras2_legacy")
    tf.train.Checkpoint(model=model, optimizer=optimizer).save(str(directory / PREFIX))


class Block(tf.Module):
    def __init__(self, units: int):
        super().__init__()
        self.w = tf.Variable(tf.zeros([2, units]))
        self.b = tf.Variable(tf.zeros([units]))


class Tower(tf.Module):
    """Lists, shared objects, and dictionaries whose keys have to be escaped."""

    def __init__(self):
        super().__init__()
        self.blocks = [Block(units) for units in (1, 2, 3)]
        self.by_name = {"a/b": Block(4), "c.d": Block(5), "e./f": tf.Variable([1.0, 2.0])}
        self.again = self.blocks[1]
        self.step = tf.Variable(7, dtype=tf.int64)


@case("tf2_module")
def module(directory: Path) -> None:
    tower = Tower()
    fill("tf2_module", tower.variables)
    table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, default_value=-1)
    table.insert(["one", "two"], [1, 2])
    checkpoint = tf.train.Checkpoint(tower=tower, table=table)
    checkpoint.save(str(directory / PREFIX))


@case("saved_model")
def saved_model(directory: Path) -> None:
    class Linear(tf.Module):
        def __init__(self):
            super().__init__()
            self.block = Block(3)

        @tf.function(input_signature=[tf.TensorSpec([None, 2])])
        def __call__(self, x):
            return x @ self.block.w + self.block.b

    linear = Linear()
    fill("saved_model", linear.variables)
    tf.saved_model.save(linear, str(directory))
