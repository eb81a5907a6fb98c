"""Keras 2 in the middle of its training: what is stranded when Keras 3 comes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from generate.keras_models import INPUTS, OUTPUTS, mlp
from generate.objects import fill
from generate.registry import case
from generate.tf1 import PREFIX, rng_for

STEPS, AFTER, BATCH = 20, 10, 8
legacy, current = tf.keras.optimizers.legacy, tf.keras.optimizers


def train(model, optimizer, x, y) -> float:
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(x) - y))
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
    return loss.numpy()


def values(model, slots: Callable) -> dict[str, np.ndarray]:
    """Under the names that TF1 would have given them, as in the other cases."""
    found = {}
    for number, layer in enumerate([model.hidden_1, model.hidden_2, model.head]):
        scope = f"variables/model/dense_{number}".removesuffix("_0")
        for leaf in ("kernel", "bias"):
            variable = getattr(layer, leaf)
            found[f"{scope}/{leaf}"] = variable.numpy()
            found |= {f"{scope}/{leaf}/{n}": slot.numpy() for n, slot in slots(variable).items()}
    return found


def trained(name: str, make: Callable, slots: Callable, **hyperparameters: float) -> None:
    """Registers a case; `slots(optimizer, variable)` are called as TF1 calls them."""

    @case(f"optimizers/{name}")
    def write(directory: Path) -> None:
        rng = rng_for(name)
        inputs = rng.standard_normal((STEPS + AFTER, BATCH, INPUTS)).astype(np.float32)
        targets = rng.standard_normal((STEPS + AFTER, BATCH, OUTPUTS)).astype(np.float32)
        model, optimizer = mlp(tf.keras), make()
        fill(name, model.variables)
        for x, y in zip(inputs[:STEPS], targets[:STEPS], strict=True):
            train(model, optimizer, x, y)
        tf.train.Checkpoint(model=model, optimizer=optimizer).write(str(directory / PREFIX))
        arrays = values(model, lambda variable: slots(optimizer, variable))
        arrays |= {f"hyperparameters/{key}": value for key, value in hyperparameters.items()}
        inputs, targets = inputs[STEPS:], targets[STEPS:]
        arrays |= {"inputs": inputs, "targets": targets, "outputs": model(inputs[0]).numpy()}
        batches = zip(inputs, targets, strict=True)
        arrays["losses"] = [train(model, optimizer, *batch) for batch in batches]
        np.savez(directory / "expected.npz", **arrays)


def legacy_slots(**names: str) -> Callable:
    def slots(optimizer, variable):
        return {name: optimizer.get_slot(variable, slot) for name, slot in names.items()}

    return slots


def current_adam_slots(optimizer, variable):
    at = optimizer._index_dict[optimizer._var_key(variable)]
    return {"Adam": optimizer._momentums[at], "Adam_1": optimizer._velocities[at]}


ADAM = {"learning_rate": 0.013, "beta1": 0.83, "beta2": 0.97}
RATES = (*ADAM.values(), 1e-8)
MOMENTUM = {"learning_rate": 0.03, "momentum": 0.8}

trained(
    "keras_legacy_adam",
    lambda: legacy.Adam(*RATES),
    legacy_slots(Adam="m", Adam_1="v"),
    **ADAM,
)
trained("keras2_adam", lambda: current.Adam(*RATES), current_adam_slots, **ADAM)
trained(
    "keras_legacy_momentum",
    lambda: legacy.SGD(**MOMENTUM),
    legacy_slots(Momentum="momentum"),
    **MOMENTUM,
)
