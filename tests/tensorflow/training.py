"""A Keras program that wants to go on training where TF1 stopped, and how it is judged."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from dialects import Dialect
from harness import TESTDATA, fill_with_noise, restore, run

FIXTURES = TESTDATA / "optimizers"
STEPS, AFTER = 20, 10
# What has been measured is 2e-7; where Keras computes something else, its case says so.
LARGEST_DIFFERENCE = 1e-5

# Label → a variable, the value it should have, and by how many ulps that may be missed.
Values = dict[str, tuple[Any, np.ndarray, int]]


@dataclass(frozen=True)
class Expected:
    """What TF1 left behind, and how it went on."""

    variables: dict[str, np.ndarray]
    hyperparameters: dict[str, float]
    inputs: np.ndarray
    targets: np.ndarray
    outputs: np.ndarray
    losses: np.ndarray
    # For the same inputs, after the steps that the tests repeat.
    later_outputs: np.ndarray | None


def expected(case: str) -> Expected:
    with np.load(FIXTURES / case / "expected.npz") as stored:
        arrays = dict(stored)

    def below(folder: str) -> dict[str, np.ndarray]:
        return {n.removeprefix(folder): a for n, a in arrays.items() if n.startswith(folder)}

    return Expected(
        below("variables/"),
        {name: value.item() for name, value in below("hyperparameters/").items()},
        *(arrays[name] for name in ("inputs", "targets", "outputs", "losses")),
        arrays.get("later_outputs"),
    )


@dataclass(frozen=True)
class Deviation:
    """Keras computes something else: how far apart that brings the losses, and why it does."""

    why: str
    between: tuple[float, float]


@dataclass(frozen=True)
class Training:
    """Optimizers by the name they have in the checkpoint, each with the variables it trains."""

    dialect: Dialect
    model: Any
    optimizers: dict[str, tuple[Any, list]]

    def __post_init__(self):
        for optimizer, variables in self.optimizers.values():
            self.dialect.build(optimizer, variables)

    @classmethod
    def of(cls, dialect: Dialect, model, optimizer) -> "Training":
        """With one optimizer for everything."""
        return cls(dialect, model, {"optimizer": (optimizer, model.trainable_variables)})

    def checkpoint(self) -> tf.train.Checkpoint:
        optimizers = {name: optimizer for name, (optimizer, _) in self.optimizers.items()}
        return tf.train.Checkpoint(model=self.model, **optimizers)

    def hyperparameters(self) -> dict[str, float]:
        """Those that are variables."""
        return {
            f"{at}/{name}": float(variable.numpy())
            for at, (optimizer, _) in self.optimizers.items()
            for name, variable in self.dialect.hyperparameters(optimizer).items()
        }

    def state(self) -> list:
        """Everything that training changes."""
        optimizers = (optimizer for optimizer, _ in self.optimizers.values())
        # Recurrent layers of Keras 3 have seeds for a dropout they need not have; unsaved ones.
        variables = [v for v in self.model.variables if "seed_generator" not in v.name]
        return sum(map(self.dialect.state, optimizers), variables)

    def fill_with_noise(self) -> None:
        """Nothing is right by accident: neither weights nor steps nor hyper-parameters."""
        variables = self.state()
        for optimizer, _ in self.optimizers.values():
            variables += self.dialect.hyperparameters(optimizer).values()
        fill_with_noise("training", dict(enumerate(variables)))

    def spoil_learning_rate(self, rate: float = 0.5) -> None:
        for optimizer, _ in self.optimizers.values():
            self.dialect.hyperparameters(optimizer)["learning_rate"].assign(rate)

    def outputs(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.model(x, training=False))

    def loss(self, x: np.ndarray, y: np.ndarray, optimizers: Iterable[str] = ()) -> float:
        """Of one step, which these optimizers then take; all of them if none is named."""
        acting = [self.optimizers[name] for name in optimizers or self.optimizers]
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self.model(x, training=True) - y))
        gradients = tape.gradient(loss, [variables for _, variables in acting])
        for (optimizer, variables), gradient in zip(acting, gradients, strict=True):
            self.dialect.apply(optimizer, gradient, variables)
        return float(loss)

    def losses(self, truth: Expected) -> np.ndarray:
        batches = zip(truth.inputs[:AFTER], truth.targets[:AFTER], strict=True)
        return np.array([self.loss(x, y) for x, y in batches])


@dataclass(frozen=True)
class Handover:
    """What a user has to do with: the old checkpoint, its rules, and a place for new files."""

    source: Path
    rules: Path
    folder: Path
    fresh: Path
    new: Path

    @classmethod
    def of(cls, fixture: str, folder: Path, rules: str = "rules.yaml") -> "Handover":
        source = FIXTURES / fixture
        return cls(source / "model.ckpt", source / rules, folder, folder / "fresh", folder / "new")

    def write_template(self, training: Training) -> None:
        training.checkpoint().write(str(self.fresh))

    def convert(self, *flags: str) -> str:
        """What is said when all is well."""
        arguments = ("--map", self.rules, "-o", self.new, "--like", self.fresh, *flags)
        return run("convert", self.source, *arguments)

    def refused(self, *flags: str) -> str:
        """What is said when the answer is no; nothing may be written then."""
        arguments = ("--map", self.rules, "-o", self.new, "--like", self.fresh, *flags)
        said = run("convert", self.source, *arguments, status=1)
        assert not list(self.folder.glob("new*"))
        return said

    def take_over(
        self, make: Callable[[], Training], *flags: str, how: str = "restore"
    ) -> Training:
        """Saves a new program as the template, converts, and restores into another."""
        template = make()
        self.write_template(template)
        self.convert("--for", how, *flags)
        training = make()
        training.fill_with_noise()
        restore(training, str(self.new), how)
        assert training.hyperparameters() == template.hyperparameters()
        return training


def difference(losses: np.ndarray, truth: Expected) -> float:
    """The largest of the relative differences to the losses of TF1, had it gone on."""
    expected = truth.losses[: len(losses)]
    return float(np.max(np.abs(losses - expected) / expected))


def assert_same_losses(
    losses: np.ndarray, truth: Expected, deviation: Deviation | None = None
) -> None:
    apart = difference(losses, truth)
    least, most = deviation.between if deviation else (0, LARGEST_DIFFERENCE)
    # Not `>`: NaN, which training on wrong values leads to, is neither more nor less.
    assert least <= apart <= most, f"losses differ by {apart}"


def assert_complete(training: Training, values: Values) -> None:
    judged = {id(variable) for variable, _, _ in values.values()}
    others = [variable.name for variable in training.state() if id(variable) not in judged]
    assert not others, f"nobody has said what these should be: {others}"


def assert_values(values: Values) -> None:
    """Bit by bit, but for values that had to be calculated."""
    wrong = [
        label
        for label, (variable, value, ulps) in values.items()
        if not same(np.asarray(variable.numpy()), value, ulps)
    ]
    assert not wrong, f"not the values TF1 had: {wrong}"


def same(stored: np.ndarray, value: np.ndarray, ulps: int) -> bool:
    if stored.dtype != value.dtype or stored.shape != value.shape:
        return False
    if ulps == 0:
        return stored.tobytes() == value.tobytes()
    return bool(np.all(np.abs(stored - value) <= ulps * np.spacing(np.abs(value))))
