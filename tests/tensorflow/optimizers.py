"""Which optimizer of TF1 became which of Keras: the list that is written by hand, value by value.

Nothing here is taken from the tool under test or from its notes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dialects import Dialect
from generate.cells import from_cudnn_lstm, from_gru, from_lstm
from generate.keras_models import cnn, gru, lstm, mlp
from harness import leaves
from training import FIXTURES, STEPS, Deviation, Expected, Handover, Training, Values, expected

Hyperparameters = Mapping[str, float]
NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def dense_weights(hidden_1, hidden_2, head) -> dict[str, Any]:
    return (
        leaves("model/dense", hidden_1)
        | leaves("model/dense_1", hidden_2)
        | leaves("model/dense_2", head)
    )


def by_attribute(model) -> dict[str, Any]:
    return dense_weights(model.hidden_1, model.hidden_2, model.head)


def by_layer_name(model) -> dict[str, Any]:
    return dense_weights(*map(model.get_layer, ("hidden_1", "hidden_2", "head")))


def by_position(model) -> dict[str, Any]:
    return dense_weights(*model.blocks)


def cnn_weights(model) -> dict[str, Any]:
    return (
        leaves("model/conv2d", model.conv_1)
        | leaves("model/batch_normalization", model.norm_1, *NORM)
        | leaves("model/conv2d_1", model.conv_2)
        | leaves("model/batch_normalization_1", model.norm_2, *NORM)
        | leaves("model/dense", model.head)
    )


CELL = ("kernel", "recurrent_kernel", "bias")


def cell_weights(model) -> dict[str, Any]:
    return (
        leaves("model/lower", model.lower.cell, *CELL)
        | leaves("model/upper", model.upper.cell, *CELL)
        | leaves("model/dense", model.head)
    )


Arguments = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """An optimizer of TF1: its class in Keras, the arguments that make it the same, its slots."""

    keras: str
    arguments: Callable[[Hyperparameters], Arguments]
    # What TF1 appends to the name of the variable, and what Keras calls it.
    slots: dict[str, str]
    convert: Callable[[np.ndarray, Hyperparameters], np.ndarray] | None = None
    # Whether the step depends on how many there were before.
    counts: bool = False
    # A scope before the names of the slots.
    prefix: str = ""
    # By dialect: what Nadam has multiplied up after so many steps.
    product: Callable[[Dialect, Hyperparameters, int], float] | None = None

    def make(self, dialect: Dialect, given: Hyperparameters):
        return getattr(dialect.optimizers, self.keras)(**self.arguments(given))

    def values(self, dialect: Dialect, optimizer, weights: dict, truth: Expected, steps: int):
        """Label → the variable, the value it should have, by how many ulps that may be missed."""
        values = {"iterations": (optimizer.iterations, np.int64(steps), 0)}
        given = truth.hyperparameters
        for name, variable in weights.items():
            for suffix, slot in self.slots.items():
                value = truth.variables[f"{self.prefix}{name}/{suffix}"]
                value, ulps = (self.convert(value, given), 1) if self.convert else (value, 0)
                values[f"{name}/{slot}"] = (dialect.slot(optimizer, variable, slot), value, ulps)
        if self.product:
            value = np.float32(self.product(dialect, given, steps))
            # Keras itself rounds after each of the steps.
            values["product"] = (dialect.product(optimizer), value, steps)
        return values


def arguments_and(kind: Kind, **more: Any) -> Kind:
    return replace(kind, arguments=lambda given: kind.arguments(given) | more)


def adam_arguments(given: Hyperparameters) -> Arguments:
    betas = {"beta_1": given["beta1"], "beta_2": given["beta2"]}
    return {"learning_rate": given["learning_rate"], "epsilon": 1e-8} | betas


def momentum_arguments(given: Hyperparameters) -> Arguments:
    nesterov = bool(given.get("use_nesterov", False))
    return {
        "learning_rate": given["learning_rate"],
        "momentum": given["momentum"],
        "nesterov": nesterov,
    }


def rmsprop_arguments(given: Hyperparameters) -> Arguments:
    return {
        "learning_rate": given["learning_rate"],
        "rho": given["decay"],
        "momentum": given.get("momentum", 0.0),
        "epsilon": given.get("epsilon", 1e-10),
        "centered": bool(given.get("centered", False)),
    }


def adagrad_arguments(given: Hyperparameters) -> Arguments:
    # TF1 has no epsilon at all, and Keras takes 0 for "the default".
    return {"learning_rate": given["learning_rate"], "epsilon": 1e-12}


def ftrl_arguments(given: Hyperparameters) -> Arguments:
    given = dict(given)
    del given["initial_accumulator_value"]
    return given


def into_velocity(accumulator: np.ndarray, given: Hyperparameters) -> np.ndarray:
    """TF1 sums up gradients, Keras the steps that were made of them."""
    return np.float32(-given["learning_rate"]) * accumulator


def nadam_product(dialect: Dialect, given: Hyperparameters, steps: int) -> float:
    step = np.arange(1, steps + 1)
    decay = 0.004 * step if dialect.name == "legacy" else step
    return np.prod(given["beta1"] * (1 - 0.5 * 0.96**decay))


SGD = Kind("SGD", lambda given: given, {})
MOMENTUM = Kind("SGD", momentum_arguments, {"Momentum": "momentum"}, into_velocity)
ADAM = Kind("Adam", adam_arguments, {"Adam": "m", "Adam_1": "v"}, counts=True)
NADAM = Kind("Nadam", adam_arguments, ADAM.slots, counts=True, product=nadam_product)
BERT = replace(arguments_and(ADAM, epsilon=1e-6), slots={"adam_m": "m", "adam_v": "v"})
NAMED = replace(ADAM, slots={"trainer": "m", "trainer_1": "v"})
SCOPED = replace(ADAM, prefix="opt/")
ADAMAX = Kind("Adamax", adam_arguments, {"AdaMax": "m", "AdaMax_1": "v"}, counts=True)
RMSPROP = Kind("RMSprop", rmsprop_arguments, {"RMSProp": "rms", "RMSProp_1": "momentum"})
CENTERED = Kind(
    "RMSprop", rmsprop_arguments, {"RMSProp": "rms", "RMSProp_1": "mg", "RMSProp_2": "momentum"}
)
# TF1 keeps the last step all the same.
NO_MOMENTUM = Kind("RMSprop", rmsprop_arguments, {"RMSProp": "rms"})
ADADELTA = Kind("Adadelta", dict, {"Adadelta": "accum_grad", "Adadelta_1": "accum_var"})
ADAGRAD = Kind("Adagrad", adagrad_arguments, {"Adagrad": "accumulator"})
PROXIMAL = replace(ADAGRAD, slots={"ProximalAdagrad": "accumulator"})
FTRL = Kind("Ftrl", ftrl_arguments, {"Ftrl": "accumulator", "Ftrl_1": "linear"})


class Scheduled(Kind):
    """Its learning rate is computed, and so no variable; while we look, it stays the same."""

    def make(self, dialect: Dialect, given: Hyperparameters):
        schedule = dialect.keras.optimizers.schedules.ExponentialDecay
        rate = schedule(2 * given["learning_rate"], STEPS, 0.5, staircase=True)
        return dialect.optimizers.SGD(rate, given["momentum"])


SCHEDULED = Scheduled("SGD", momentum_arguments, MOMENTUM.slots, into_velocity)


@dataclass(frozen=True)
class Case:
    """A fixture below `testdata/optimizers`, and the program that takes over from it."""

    fixture: str
    kind: Kind
    build: Callable = mlp
    weights: Callable[[Any], dict[str, Any]] = by_attribute
    equal_layers: tuple[str, str] = ("model/dense/", "model/dense_1/")
    # By dialect.
    deviations: dict[str, Deviation] = field(default_factory=dict)
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.fixture

    @cached_property
    def truth(self) -> Expected:
        return expected(self.fixture)

    @property
    def graph(self) -> Path:
        return FIXTURES / self.fixture / "model.ckpt.meta"

    def flags_for(self, dialect: Dialect) -> tuple[str, ...]:
        return self.flags.get(dialect.name, ())

    def handover(self, folder: Path) -> Handover:
        return Handover.of(self.fixture, folder)

    def taken_over(self, dialect: Dialect, folder: Path) -> Training:
        flags = self.flags_for(dialect)
        return self.handover(folder).take_over(lambda: self.training(dialect), *flags)

    def training(self, dialect: Dialect) -> Training:
        optimizer = self.kind.make(dialect, self.truth.hyperparameters)
        return Training.of(dialect, self.build(dialect.keras), optimizer)

    def values(self, training: Training) -> Values:
        truth, weights = self.truth, self.weights(training.model)
        values = {name: (weights[name], truth.variables[name], 0) for name in weights}
        optimizer, variables = training.optimizers["optimizer"]
        trained = {n: v for n, v in weights.items() if any(v is other for other in variables)}
        return values | self.kind.values(training.dialect, optimizer, trained, truth, STEPS)


CNN = {
    "build": cnn,
    "weights": cnn_weights,
    "equal_layers": ("model/conv2d/", "model/conv2d_1/"),
}


@dataclass(frozen=True)
class CellCase(Case):
    """Recurrent layers, for whose variables and slots TF1 has others; judged by Keras's names."""

    weights: Callable[[Any], dict[str, Any]] = cell_weights
    equal_layers: tuple[str, str] = ("model/lower/", "model/upper/")
    cell: str = ""
    convert: Callable[[dict, str], list[np.ndarray]] = list
    # What is added to a bias is not added to its slots.
    convert_slots: Callable[[dict, str], list[np.ndarray]] = list

    @cached_property
    def truth(self) -> Expected:
        truth = expected(self.fixture)
        stored, converted = truth.variables, {}
        for i, layer in enumerate(("lower", "upper")):
            scope = f"model/rnn/multi_rnn_cell/cell_{i}/{self.cell}"
            for suffix in ("", *(f"/{slot}" for slot in self.kind.slots)):
                values = {n.removesuffix(suffix): stored[n] for n in stored if n.endswith(suffix)}
                convert = self.convert_slots if suffix else self.convert
                for leaf, value in zip(CELL, convert(values, scope), strict=True):
                    converted[f"model/{layer}/{leaf}{suffix}"] = value
        return replace(truth, variables=stored | converted)


# Even a fresh SGD of Keras 2 has momentum slots, which TF1 without momentum has nothing for.
NO_SLOTS = {"keras2": ("--keep-missing",)}
# Dozat's schedule makes the momentum grow with the steps; in the legacy optimizer much slower.
SCHEDULE = "Keras's Nadam multiplies beta_1 by a schedule, contrib's does not"
NADAM_DEVIATIONS = {
    "legacy": Deviation(SCHEDULE, (2.5e-2, 2.7e-2)),
    "keras2": Deviation(SCHEDULE, (6.9e-3, 7.3e-3)),
    "keras3": Deviation(SCHEDULE, (6.9e-3, 7.3e-3)),
}
OUTSIDE = "legacy RMSprop without momentum adds epsilon outside of the root"
OUTSIDE_DEVIATIONS = {"legacy": Deviation(OUTSIDE, (6e-4, 7e-4))}

UNCORRECTED = Deviation("BERT's Adam does not correct the bias of its moments", (1.4e-2, 1.6e-2))

CASES = [
    Case("gradient_descent", SGD, flags=NO_SLOTS),
    Case("momentum", MOMENTUM),
    Case("momentum_schedule", SCHEDULED),
    Case("nesterov", MOMENTUM),
    Case("adam", ADAM),
    Case("adam_powers", ADAM),
    Case("adam_named", NAMED),
    Case("adam_scoped", SCOPED),
    Case("adam_partitioned", ADAM),
    Case("adam_partitioned_scoped", SCOPED),
    Case("bert_adam", BERT, deviations=dict.fromkeys(("legacy", "keras2", "keras3"), UNCORRECTED)),
    Case("rmsprop", RMSPROP),
    Case("rmsprop_centered", CENTERED),
    Case("rmsprop_no_momentum", NO_MOMENTUM, deviations=OUTSIDE_DEVIATIONS),
    Case("adadelta", ADADELTA),
    Case("adagrad", ADAGRAD),
    Case("proximal_adagrad", PROXIMAL),
    Case("ftrl", FTRL),
    Case("nadam", NADAM, deviations=NADAM_DEVIATIONS),
    Case("adamax", ADAMAX),
    Case("cnn_adam", ADAM, **CNN),
    Case("cnn_momentum", MOMENTUM, **CNN),
    Case("cnn_rmsprop_centered", CENTERED, **CNN),
]
CELL_CASES = [
    CellCase(
        "lstm_adam",
        ADAM,
        lstm,
        cell="basic_lstm_cell",
        convert=from_lstm,
        convert_slots=from_cudnn_lstm,
    ),
    CellCase(
        "gru_momentum",
        MOMENTUM,
        gru,
        cell="gru_cell",
        convert=from_gru,
        convert_slots=from_gru,
    ),
]
BY_FIXTURE = {case.fixture: case for case in CASES}
