"""Estimators in the middle of their training, which only TensorFlow 2.15 still has."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import differences
import family_estimator
from dialects import each_dialect
from families import checkpoint_values, random_input, rules_of
from harness import assert_same_outputs, convert, leaves
from mistakes import mistakes
from optimizers import ADAGRAD, FTRL, STEPS, Case
from training import (
    AFTER,
    Expected,
    Handover,
    assert_complete,
    assert_same_losses,
    assert_values,
    difference,
)

tf1 = tf.compat.v1
pytestmark = pytest.mark.only("2.15")
BATCH, COLUMNS, UNITS = 8, ("a", "b", "c"), 3
INPUTS = random_input("training of estimators", STEPS + AFTER, BATCH, len(COLUMNS))
TARGETS = np.tanh(INPUTS.sum(axis=-1, keepdims=True)) + 0.5


def batches(start: int, stop: int) -> Callable[[], tf.data.Dataset]:
    def dataset() -> tf.data.Dataset:
        columns = {name: INPUTS[start:stop, :, i : i + 1] for i, name in enumerate(COLUMNS)}
        return tf.data.Dataset.from_tensor_slices((columns, TARGETS[start:stop]))

    return dataset


class Losses(tf1.train.SessionRunHook):
    """Of every step of a training."""

    def __init__(self):
        self.found: list[float] = []

    def before_run(self, context: Any) -> Any:
        # What the head computed, and then what the Estimator made of it.
        return tf1.train.SessionRunArgs(tf1.get_collection(tf1.GraphKeys.LOSSES)[-1])

    def after_run(self, context: Any, values: Any) -> None:
        self.found.append(float(values.results))


def trained(kind: str, folder: Path, columns: list[str], **options: Any) -> tuple[Any, str]:
    """An Estimator after so many steps, and the checkpoint of then; `columns` is what it calls
    them."""
    inputs = [tf1.feature_column.numeric_column(name) for name in COLUMNS]
    estimator = getattr(tf1.estimator, kind)(
        **dict.fromkeys(columns, inputs),
        model_dir=str(folder),
        config=tf.estimator.RunConfig(tf_random_seed=3),
        loss_reduction=tf1.losses.Reduction.MEAN,
        **options,
    )
    estimator.train(batches(0, STEPS))
    return estimator, estimator.latest_checkpoint()


def predicted(estimator: Any, prefix: str) -> np.ndarray:
    found = estimator.predict(batches(STEPS, STEPS + 1), checkpoint_path=prefix)
    return np.array([one["predictions"] for one in found])


@dataclass(frozen=True)
class EstimatorCase(Case):
    estimator: str = ""
    options: Callable[[dict], dict[str, Any]] = dict
    hyperparameters: tuple[tuple[str, float], ...] = ()
    mapping: str = ""
    # What the variables are called here, if Keras has joined those of TF1.
    join: Callable[[dict], dict[str, np.ndarray]] = dict

    @cached_property
    def place(self) -> TemporaryDirectory:
        """Until the tests end."""
        return TemporaryDirectory()

    @cached_property
    def run(self) -> tuple[str, Expected]:
        given = dict(self.hyperparameters)
        options = self.options(given)
        folder, columns = Path(self.place.name), ["feature_columns"]
        estimator, prefix = trained(self.estimator, folder, columns, **options)
        values, outputs = checkpoint_values(prefix), predicted(estimator, prefix)
        losses = Losses()
        estimator.train(batches(STEPS, STEPS + AFTER), hooks=[losses])
        after = (INPUTS[STEPS:], TARGETS[STEPS:], outputs, np.array(losses.found), None)
        return prefix, Expected(self.join(values), given, *after)

    @property
    def truth(self) -> Expected:
        return self.run[1]

    def handover(self, folder: Path, optimizer: str = "{to: optimizer}") -> Handover:
        rules = folder / "rules.yaml"
        _, included = rules_of(self.mapping, folder)
        more = f"optimizer: {optimizer}\n" if optimizer else ""
        rules.write_text(f"version: 1\ninclude: [{included}]\n{more}")
        return Handover(Path(self.run[0]), rules, folder, folder / "fresh", folder / "new")


def dense_layers(keras: Any) -> Any:
    keras.backend.clear_session()
    dense = keras.layers.Dense
    hidden = [dense(UNITS, activation="relu") for _ in range(2)]
    return keras.Sequential([keras.Input([len(COLUMNS)]), *hidden, dense(1)])


def dnn_weights(model: Any) -> dict[str, Any]:
    first, second, last = model.layers
    return (
        leaves("dnn/hiddenlayer_0", first)
        | leaves("dnn/hiddenlayer_1", second)
        | leaves("dnn/logits", last)
    )


def linear_layer(keras: Any) -> Any:
    keras.backend.clear_session()
    return keras.Sequential([keras.Input([len(COLUMNS)]), keras.layers.Dense(1)])


def joined(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """One kernel of all columns, with its slots."""
    found, scope = {}, "linear/linear_model"
    for suffix in ("", "/part_0/Ftrl", "/part_0/Ftrl_1"):
        columns = [values[f"{scope}/{name}/weights{suffix}"] for name in COLUMNS]
        found[f"linear/kernel{suffix}"] = np.concatenate(columns)
        found[f"linear/bias{suffix}"] = values[f"{scope}/bias_weights{suffix}"]
    return found


def adagrad(given: dict) -> dict[str, Any]:
    return {"optimizer": lambda: tf1.train.AdagradOptimizer(**given), "hidden_units": [UNITS] * 2}


def ftrl(given: dict) -> dict[str, Any]:
    return {"optimizer": lambda: tf1.train.FtrlOptimizer(**given)}


DNN = EstimatorCase(
    "DNNRegressor",
    replace(ADAGRAD, slots={"t_0/Adagrad": "accumulator"}),
    dense_layers,
    dnn_weights,
    ("dnn/hiddenlayer_0/", "dnn/hiddenlayer_1/"),
    estimator="DNNRegressor",
    options=adagrad,
    hyperparameters=(("learning_rate", 0.09), ("initial_accumulator_value", 0.2)),
    mapping="estimator-dnn-keras",
)
LINEAR = EstimatorCase(
    "LinearRegressor",
    replace(FTRL, slots={"part_0/Ftrl": "accumulator", "part_0/Ftrl_1": "linear"}),
    linear_layer,
    lambda model: leaves("linear", model.layers[0]),
    estimator="LinearRegressor",
    options=ftrl,
    hyperparameters=(
        *(("learning_rate", 0.09), ("learning_rate_power", -0.4)),
        *(("initial_accumulator_value", 0.2), ("l1_regularization_strength", 0.002)),
        ("l2_regularization_strength", 0.003),
    ),
    mapping="estimator-linear-keras",
    join=joined,
)
each_case = pytest.mark.parametrize("case", [DNN, LINEAR], ids=str)


@each_dialect
@each_case
def test_goes_on_as_the_estimator_would_have(case, dialect, tmp_path):
    training = case.taken_over(dialect, tmp_path)
    values = case.values(training)
    assert_values(values)
    assert_complete(training, values)
    losses = training.losses(case.truth)
    differences.note(case.estimator, dialect.name, difference(losses, case.truth))
    assert_same_losses(losses, case.truth)


@each_dialect
def test_wrong_mappings_are_noticed(dialect, tmp_path):
    training = DNN.taken_over(dialect, tmp_path)
    values = DNN.values(training)
    for spoil in mistakes(DNN).values():
        for variable, value, _ in values.values():
            variable.assign(value)
        spoil(values)
        with pytest.raises(AssertionError, match="not the values TF1 had"):
            assert_values(values)
        with pytest.raises(AssertionError, match="losses differ"):
            assert_same_losses(training.losses(DNN.truth), DNN.truth)


@each_dialect
@each_case
def test_what_becomes_of_the_slots_must_be_said(case, dialect, tmp_path):
    handover = case.handover(tmp_path, optimizer="")
    model = case.build(dialect.keras)
    checkpoint = tf.train.Checkpoint(model=model)
    checkpoint.write(str(handover.fresh))
    said = handover.refused()
    assert "optimizer: drop" in said
    case.handover(tmp_path, optimizer="drop").convert()
    checkpoint.restore(str(handover.new)).assert_consumed()
    assert_values({n: (v, case.truth.variables[n], 0) for n, v in case.weights(model).items()})


def test_wide_and_deep(tmp_path):
    """Two built-in mappings, each for its half."""
    columns = ["linear_feature_columns", "dnn_feature_columns"]
    made = trained(
        "DNNLinearCombinedRegressor", tmp_path / "old", columns, dnn_hidden_units=[UNITS] * 2
    )
    estimator, prefix = made
    deep, wide = dense_layers(tf.keras), tf.keras.layers.Dense(1, name="wide")
    x = tf.keras.Input([len(COLUMNS)])
    model = tf.keras.Model(x, deep(x) + wide(x))
    checkpoint = tf.train.Checkpoint(model=model)
    checkpoint.write(str(tmp_path / "fresh"))

    includes = [rules_of(f"estimator-{half}-keras", tmp_path)[1] for half in ("dnn", "linear")]
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        f"version: 1\ninclude: [{', '.join(includes)}]\nparams: {{linear: wide}}\noptimizer: drop\n"
    )
    new = convert(Path(prefix), rules, tmp_path / "new", "--like", tmp_path / "fresh")
    checkpoint.restore(new).assert_consumed()

    values, scope = checkpoint_values(prefix), "linear/linear_model"
    kernel = np.concatenate([values[f"{scope}/{name}/weights"] for name in COLUMNS])
    linear = {"wide/kernel": kernel, "wide/bias": values[f"{scope}/bias_weights"]}
    variables = dnn_weights(deep) | leaves("wide", wide)
    assert_values({n: (v, (values | linear)[n], 0) for n, v in variables.items()})
    assert_same_outputs(model(INPUTS[STEPS]), predicted(estimator, prefix))


@pytest.mark.parametrize("kind", family_estimator.GRAPHS)
def test_graphs_are_rebuilt_as_they_were(kind):
    def variables(rebuilt: bool) -> dict[str, list[int]]:
        with tf1.Graph().as_default():
            family_estimator.graph(kind, rebuilt)
            whole = {v.op.name: v for v in tf1.global_variables()}
            return {n.removesuffix("/part_0"): v.shape.as_list() for n, v in whole.items()}

    assert variables(rebuilt=True) == variables(rebuilt=False)
