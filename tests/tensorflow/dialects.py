"""The three ways in which Keras keeps the state of an optimizer, and how to reach it in each."""

from dataclasses import dataclass
from typing import Any

import pytest
import tensorflow as tf

from flavours import FLAVOURS

# TF1 and the legacy optimizers speak of slots; later ones have a list for each, side by side with
# the variables they were built for.
LISTS = {
    "SGD": {"momentum": "momentums"},
    "Adam": {"m": "_momentums", "v": "_velocities"},
    "Adamax": {"m": "_m", "v": "_u"},
    "Nadam": {"m": "_momentums", "v": "_velocities"},
    "RMSprop": {"rms": "_velocities", "momentum": "_momentums", "mg": "_average_gradients"},
    "Adadelta": {"accum_grad": "_accumulated_grads", "accum_var": "_accumulated_delta_vars"},
    "Adagrad": {"accumulator": "_accumulators"},
    "Ftrl": {"accumulator": "_accumulators", "linear": "_linears"},
}


@dataclass(frozen=True)
class Dialect:
    """Keras 2.11 and later; the others say where they differ."""

    name: str
    keras: Any

    def __str__(self) -> str:
        return self.name

    @property
    def optimizers(self):
        return self.keras.optimizers

    def build(self, optimizer, variables) -> None:
        optimizer.build(variables)

    def apply(self, optimizer, gradients, variables) -> None:
        optimizer.apply_gradients(zip(gradients, variables, strict=True))

    def hyperparameters(self, optimizer) -> dict[str, Any]:
        """Those that are variables, and so in the checkpoint; with a schedule there is none."""
        rate = optimizer._learning_rate
        return {"learning_rate": rate} if hasattr(rate, "assign") else {}

    def slot(self, optimizer, variable, slot: str):
        slots = getattr(optimizer, LISTS[type(optimizer).__name__][slot])
        return slots[self.index(optimizer, variable)]

    def index(self, optimizer, variable) -> int:
        return optimizer._index_dict[optimizer._var_key(variable)]

    def product(self, optimizer):
        """What Nadam multiplies up beside its slots."""
        return optimizer._u_product

    def state(self, optimizer) -> list:
        """All of its variables but hyper-parameters."""
        known = self.hyperparameters(optimizer).values()
        return [v for v in self.variables(optimizer) if not any(v is other for other in known)]

    def variables(self, optimizer) -> list:
        # Its list of variables lacks the product, its checkpoints do not.
        product = [self.product(optimizer)] if hasattr(optimizer, "_u_product") else []
        return [*optimizer.variables, *product]


class Legacy(Dialect):
    @property
    def optimizers(self):
        return self.keras.optimizers.legacy

    def build(self, optimizer, variables) -> None:
        # There is no other way to have slots and hyper-parameters than to take a step.
        optimizer.apply_gradients([(tf.zeros_like(variable), variable) for variable in variables])

    def hyperparameters(self, optimizer) -> dict[str, Any]:
        return {n: v for n, v in optimizer._hyper.items() if isinstance(v, tf.Variable)}

    def slot(self, optimizer, variable, slot: str):
        return optimizer.get_slot(variable, slot)

    def product(self, optimizer):
        return optimizer._m_cache

    def variables(self, optimizer) -> list:
        return optimizer.variables()


class Keras3(Dialect):
    def variables(self, optimizer) -> list:
        return optimizer.variables

    def apply(self, optimizer, gradients, variables) -> None:
        # A row that was looked up twice has two gradients, which it would square one by one.
        optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients], variables)

    def index(self, optimizer, variable) -> int:
        return optimizer._get_variable_index(variable)


KERAS2 = FLAVOURS["keras2"]
LEGACY, SINCE_2_11 = Legacy("legacy", KERAS2), Dialect("keras2", KERAS2)
if "keras3" in FLAVOURS:
    # Keras 2 as a package is the one of the other environment: there, it goes through everything.
    KERAS3 = Keras3("keras3", FLAVOURS["keras3"])
    DIALECTS, EVERY_DIALECT = [KERAS3], [LEGACY, SINCE_2_11, KERAS3]
else:
    DIALECTS = EVERY_DIALECT = [LEGACY, SINCE_2_11]

each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=str)
every_dialect = pytest.mark.parametrize("dialect", EVERY_DIALECT, ids=str)
