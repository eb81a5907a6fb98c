"""What `--like` is given: new models and optimizers, saved before anything is known."""

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from generate.keras_models import functional, listed, mlp
from generate.objects import fill
from generate.registry import case
from generate.tf1 import PREFIX

RATE = 0.013


def template(name: str, build: Callable, make_optimizer: Callable, tensorflow: str) -> None:
    @case(f"templates/{name}", tensorflow)
    def write(directory: Path) -> None:
        model, optimizer = build(tf.keras), make_optimizer()
        fill(name, model.variables)
        variables = model.trainable_variables
        # Both kinds have their slots after a step; that it is one of zeros changes nothing.
        optimizer.apply_gradients([(tf.zeros(v.shape), v) for v in variables])
        tf.train.Checkpoint(model=model, optimizer=optimizer).write(str(directory / PREFIX))


def adam():
    return tf.keras.optimizers.Adam(RATE)


def legacy_adam():
    return tf.keras.optimizers.legacy.Adam(RATE)


template("legacy_adam", mlp, legacy_adam, "2.15")
template("legacy_adam_listed", listed, legacy_adam, "2.15")
template("keras2_adam", mlp, adam, "2.15")
template("keras2_adam_functional", functional, adam, "2.15")
template("keras3_adam", mlp, adam, "2.21")
template("keras3_adam_functional", functional, adam, "2.21")
