"""Series of checkpoints, converted together: to TensorFlow they are what its own manager wrote."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from crashes import snapshot
from dialects import Dialect, each_dialect
from flavours import tf1_layers
from generate.keras_models import HIDDEN, INPUTS, OUTPUTS, mlp
from generate.tf1 import variable_values
from harness import assert_same_outputs, run
from optimizers import ADAM, by_attribute
from training import (
    AFTER,
    FIXTURES,
    Expected,
    Training,
    Values,
    assert_complete,
    assert_same_losses,
    assert_values,
)

tf1 = tf.compat.v1
RUNS = ("first", "second")
# In the order of their names, 1000 is before 200, and the last one is 2000.
STEPS, LATER = (100, 200, 1000, 2000, 10_000), 12_000
BATCH, BATCHES = 8, 50
HYPERPARAMETERS = {"learning_rate": 0.013, "beta1": 0.83, "beta2": 0.97}
JOBS = """\
version: 1
defaults: {map: rules.yaml, like: fresh}
jobs:
  - {input: 'runs/{run}/model.ckpt-{step}', output: 'converted/{run}/ckpt-{step}'}
"""


def train(seed: int, prefix: Path) -> dict[int, Expected]:
    """Trains and saves; what there was at each of the saved steps, and how it went on."""
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((BATCHES, BATCH, INPUTS)).astype(np.float32)
    targets = rng.standard_normal((BATCHES, BATCH, OUTPUTS)).astype(np.float32)
    found, losses = {}, []
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.set_random_seed(seed)
        x = tf1.placeholder(tf.float32, (BATCH, INPUTS))
        y = tf1.placeholder(tf.float32, (BATCH, OUTPUTS))
        outputs = model(x)
        loss = tf.reduce_mean(tf.square(outputs - y))
        step = tf1.train.get_or_create_global_step()
        minimize = tf1.train.AdamOptimizer(**HYPERPARAMETERS).minimize(loss, step)
        session.run(tf1.global_variables_initializer())
        saver = tf1.train.Saver(max_to_keep=None, save_relative_paths=True)
        take = session.make_callable([loss, minimize], [x, y])
        for number in range(LATER + AFTER):
            if number in (*STEPS, LATER):
                saver.save(session, str(prefix), step)
                found[number] = (
                    {n.removeprefix("variables/"): v for n, v in variable_values(session).items()},
                    session.run(outputs, {x: inputs[number % BATCHES]}),
                )
            at = number % BATCHES
            losses.append(take(inputs[at], targets[at])[0])
    return {
        number: Expected(
            variables,
            HYPERPARAMETERS,
            *(np.roll(batches, -number, axis=0) for batches in (inputs, targets)),
            computed,
            np.array(losses[number : number + AFTER]),
            None,
        )
        for number, (variables, computed) in found.items()
    }


def model(x):
    with tf1.variable_scope("model"):
        for units in (HIDDEN, HIDDEN):
            x = tf1_layers.dense(x, units, activation=tf.tanh)
        return tf1_layers.dense(x, OUTPUTS)


@dataclass(frozen=True)
class Old:
    """What TF1 left behind."""

    folder: Path
    truth: dict[str, dict[int, Expected]]


@pytest.fixture(scope="module")
def old(tmp_path_factory) -> Old:
    folder = tmp_path_factory.mktemp("runs")
    return Old(folder, {r: train(seed, folder / r / "model.ckpt") for seed, r in enumerate(RUNS)})


@dataclass(frozen=True)
class Series:
    """The runs as a user has them, a program that takes over, and a job file."""

    old: Old
    dialect: Dialect
    folder: Path

    def __post_init__(self) -> None:
        for name in RUNS:
            for step in STEPS:
                self.add(name, step)
        shutil.copy(FIXTURES / "adam" / "rules.yaml", self.folder)
        (self.folder / "jobs.yaml").write_text(JOBS)
        self.program().checkpoint().write(str(self.folder / "fresh"))

    def add(self, name: str, step: int) -> None:
        to = self.folder / "runs" / name
        to.mkdir(parents=True, exist_ok=True)
        for file in (self.old.folder / name).glob(f"model.ckpt-{step}.*"):
            shutil.copy(file, to)

    def program(self) -> Training:
        optimizer = ADAM.make(self.dialect, HYPERPARAMETERS)
        return Training.of(self.dialect, mlp(self.dialect.keras), optimizer)

    def batch(self) -> None:
        run("batch", self.folder / "jobs.yaml")

    def converted(self, name: str) -> Path:
        return self.folder / "converted" / name

    def resumed(self, name: str) -> "Resumed":
        return Resumed(self.program(), self.converted(name), self.old.truth[name])


@dataclass
class Resumed:
    """A program of TF2 in front of a folder in which, as far as it can tell, it has been before."""

    training: Training
    folder: Path
    truth: dict[int, Expected]
    hyperparameters: dict[str, float] = field(init=False)
    checkpoint: tf.train.Checkpoint = field(init=False)
    manager: tf.train.CheckpointManager = field(init=False)

    def __post_init__(self) -> None:
        self.hyperparameters = self.training.hyperparameters()
        self.training.fill_with_noise()
        self.checkpoint = self.training.checkpoint()
        self.manager = tf.train.CheckpointManager(self.checkpoint, str(self.folder), max_to_keep=3)

    def restore(self, prefix: str) -> None:
        status = self.checkpoint.restore(prefix)
        status.assert_consumed()
        status.assert_existing_objects_matched()

    def values(self, step: int) -> Values:
        """What TF1 had at this step."""
        truth, training = self.truth[step], self.training
        weights, (optimizer, _) = by_attribute(training.model), training.optimizers["optimizer"]
        values = {name: (weights[name], truth.variables[name], 0) for name in weights}
        return values | ADAM.values(training.dialect, optimizer, weights, truth, step)

    def assert_at(self, step: int) -> None:
        values, truth = self.values(step), self.truth[step]
        assert_values(values)
        assert_complete(self.training, values)
        assert self.training.hyperparameters() == self.hyperparameters
        assert_same_outputs(self.training.outputs(truth.inputs[0]), truth.outputs)

    def assert_goes_on_from(self, step: int) -> None:
        truth = self.truth[step]
        assert_same_losses(self.training.losses(truth), truth)

    def files(self) -> set[str]:
        """The checkpoints that are there, whoever lists them."""
        return {file.stem for file in self.folder.glob("*.index")}


def names(*labels: int) -> list[str]:
    return [f"ckpt-{label}" for label in labels]


def listed(folder: Path) -> tuple[str, list[str]]:
    """The latest, and all of them, as the `checkpoint` file has them."""
    state = tf.train.get_checkpoint_state(str(folder))
    paths = [state.model_checkpoint_path, *state.all_model_checkpoint_paths]
    assert {Path(path).parent for path in paths} == {folder}
    latest, *others = [Path(path).name for path in paths]
    return latest, others


def in_turn(manager: tf.train.CheckpointManager) -> dict[int, str]:
    """Prefixes by their step, in the manager's order."""
    return {int(prefix.rsplit("-", 1)[1]): prefix for prefix in manager.checkpoints}


@pytest.fixture
def series(old, dialect, tmp_path) -> Series:
    made = Series(old, dialect, tmp_path)
    made.batch()
    return made


@each_dialect
@pytest.mark.parametrize("name", RUNS)
def test_every_checkpoint_of_a_series(name, series):
    folder = series.converted(name)
    assert listed(folder) == ("ckpt-10000", names(*STEPS))
    assert tf.train.latest_checkpoint(str(folder)) == str(folder / "ckpt-10000")
    resumed = series.resumed(name)
    manager = resumed.manager
    assert list(in_turn(manager)) == list(STEPS)
    assert manager.restore_or_initialize() == str(folder / "ckpt-10000")
    resumed.assert_at(10_000)
    for number, (step, prefix) in enumerate(in_turn(manager).items(), 1):
        resumed.restore(prefix)
        resumed.assert_at(step)
        assert int(resumed.checkpoint.save_counter) == number
        resumed.assert_goes_on_from(step)


@each_dialect
def test_training_goes_on_and_old_ones_go(series):
    resumed = series.resumed("first")
    manager = resumed.manager
    resumed.restore(manager.latest_checkpoint)
    resumed.assert_goes_on_from(10_000)
    saved = manager.save()
    # As TensorFlow counts, this is the sixth; the oldest of all six had to go.
    assert Path(saved).name == "ckpt-6"
    assert listed(resumed.folder) == ("ckpt-6", names(2000, 10_000, 6))
    assert resumed.files() == set(names(2000, 10_000, 6))
    manager.save(checkpoint_number=10_000 + AFTER)
    assert listed(resumed.folder) == (f"ckpt-{10_000 + AFTER}", names(10_000, 6, 10_000 + AFTER))
    assert resumed.files() == set(names(10_000, 6, 10_000 + AFTER))
    # Another process finds what this one has come to.
    after, state = series.resumed("first"), [v.numpy() for v in resumed.training.state()]
    after.restore(after.manager.latest_checkpoint)
    assert int(after.checkpoint.save_counter) == 7
    for variable, value in zip(after.training.state(), state, strict=True):
        np.testing.assert_array_equal(variable, value)
    # The other run is nobody's business here.
    assert listed(series.converted("second")) == ("ckpt-10000", names(*STEPS))


@each_dialect
def test_a_later_checkpoint_joins_its_series(series, tmp_path_factory):
    before = {name: snapshot(series.converted(name)) for name in RUNS}
    series.add("first", LATER)
    series.batch()
    after = {name: snapshot(series.converted(name)) for name in RUNS}
    assert after["second"] == before["second"]
    grown = {n: file for n, file in after["first"].items() if not n.startswith(f"ckpt-{LATER}.")}
    del grown["checkpoint"], before["first"]["checkpoint"]
    assert grown == before["first"]
    resumed = series.resumed("first")
    assert list(in_turn(resumed.manager)) == [*STEPS, LATER]
    resumed.restore(resumed.manager.latest_checkpoint)
    resumed.assert_at(LATER)
    assert int(resumed.checkpoint.save_counter) == len(STEPS) + 1
    # It is the list that one run over all of them writes.
    whole = Series(series.old, series.dialect, tmp_path_factory.mktemp("whole"))
    whole.add("first", LATER)
    whole.batch()
    assert listed(series.converted("first")) == listed(whole.converted("first"))


@each_dialect
def test_what_belongs_elsewhere_is_noticed(series):
    """The checks above are worth as much as what they find."""
    resumed, other = series.resumed("first"), series.resumed("second")
    for step, prefix in in_turn(resumed.manager).items():
        resumed.restore(prefix)
        for another in {*STEPS} - {step}:
            with pytest.raises(AssertionError, match="not the values TF1 had"):
                assert_values(resumed.values(another))
        other.restore(prefix)
        with pytest.raises(AssertionError, match="not the values TF1 had"):
            assert_values(other.values(step))
    # Steps alike but for one that was never taken.
    resumed.training.loss(resumed.truth[10_000].inputs[0], resumed.truth[10_000].targets[0])
    with pytest.raises(AssertionError, match="losses differ"):
        resumed.assert_goes_on_from(10_000)
