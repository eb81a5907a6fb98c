"""Moving averages beside the variables they are of: which of the two a conversion takes.

TF1 trains a small program, keeps the averages and evaluates both. What was restored from the
converted checkpoint must be the one that was asked for, and compute the same.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from dialects import Dialect, each_dialect
from families import (
    checkpoint_values,
    noise,
    random_input,
    relative_difference,
    rules_of,
    tf1,
)
from family_mobile import V1
from harness import run
from test_odd_sources import write
from training import Handover, Training, assert_complete, assert_values, same

INPUTS, UNITS, OUTPUTS = 4, 6, 3
STEPS, AFTER = 20, 5
RATE, DECAY, EPSILON = 0.05, 0.7, 1e-3
X = random_input("ema inputs", 8, INPUTS)
Y = random_input("ema targets", 8, OUTPUTS)
SHADOW = "ExponentialMovingAverage"
NORM = ("gamma", "beta", "moving_mean", "moving_variance")

ONE_TO_ONE = "rules: [{from: 'model/(.+)', to: {name: '$1'}}]"


def rule_file(*lines: str) -> str:
    return "\n".join(["version: 1", "root: model", ONE_TO_ONE, *lines, ""])


# TF1


def every(name: str) -> bool:
    return bool(name)


def none(name: str) -> bool:
    return not name


@dataclass(frozen=True)
class Program:
    """What was trained, and how it was saved."""

    # Between the two dense layers, with statistics that are not trained.
    normalized: bool = True
    parts: int | None = None
    # What has an average, of all that is trained.
    averaged: Callable[[str], bool] = every
    shadow: str = SHADOW
    # Where `apply` was called.
    scope: str = ""
    # What the Saver was given, of everything there is.
    saved: Callable[[str], bool] = every
    # Whether the loss has an average, which programs do for their logs.
    loss: bool = False

    def outputs(self):
        partitioner = self.parts and tf1.fixed_size_partitioner(self.parts)
        with tf1.variable_scope("model", partitioner=partitioner):
            net = tf1.tanh(dense(X, "hidden", UNITS))
            if self.normalized:
                with tf1.variable_scope("norm") as scope:
                    # `batch_normalization` takes nothing in parts.
                    scope.set_partitioner(None)
                    net = normalization(net)
            return dense(net, "head", OUTPUTS)

    def trained(self) -> list:
        return [v for v in tf1.trainable_variables() if self.averaged(v.op.name)]


def dense(net, scope: str, units: int):
    with tf1.variable_scope(scope):
        kernel = tf1.get_variable("kernel", [net.shape[-1], units])
        bias = tf1.get_variable("bias", [units], initializer=tf1.random_normal_initializer())
        return tf1.matmul(net, kernel) + bias


def normalization(net):
    """As when it is not being trained."""
    gamma, beta, mean, variance = (
        tf1.get_variable(
            name,
            net.shape[-1:],
            initializer=tf1.random_uniform_initializer(0.5, 1.5),
            trainable=not name.startswith("moving"),
        )
        for name in NORM
    )
    return tf1.nn.batch_normalization(net, mean, variance, beta, gamma, EPSILON)


@dataclass(frozen=True)
class Source:
    prefix: Path
    values: dict[str, np.ndarray]
    # What TF1 computes with the variables as they are, and with their averages.
    raw: np.ndarray
    averaged: np.ndarray
    # How training goes on from the averages.
    losses: list[float]

    @classmethod
    def of(cls, program: Program, folder: Path) -> "Source":
        prefix = folder / "model.ckpt"
        with tf1.Graph().as_default(), tf1.Session() as session:
            tf1.set_random_seed(7)
            outputs = program.outputs()
            loss = tf1.reduce_mean(tf1.square(outputs - Y), name="loss")
            step = tf1.train.get_or_create_global_step()
            descend = tf1.train.AdamOptimizer(RATE).minimize(loss, step)
            averages = tf1.train.ExponentialMovingAverage(DECAY, name=program.shadow)
            with tf1.control_dependencies([descend]), optional_scope(program.scope):
                train = averages.apply([*program.trained(), *([loss] if program.loss else [])])
            session.run(tf1.global_variables_initializer())
            for _ in range(STEPS):
                session.run(train)
            known = [v for v in tf1.global_variables() if program.saved(v.op.name)]
            tf1.train.Saver(known).save(session, str(prefix), write_state=False)
            raw = session.run(outputs)
            session.run([v.assign(averages.average(v)) for v in program.trained()])
            evaluated = session.run(outputs)
            losses = [session.run([loss, descend])[0] for _ in range(AFTER)]
        return cls(prefix, checkpoint_values(str(prefix)), raw, evaluated, losses)


def optional_scope(name: str):
    return tf1.variable_scope(name) if name else tf1.name_scope(None)


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Callable[[Program], Source]:
    made = {}

    def once(program: Program = Program()) -> Source:
        if program not in made:
            made[program] = Source.of(program, tmp_path_factory.mktemp("source"))
        return made[program]

    return once


# TF2


def keras_model(keras: Any, normalized: bool):
    x = inputs = keras.Input((INPUTS,))
    x = keras.layers.Dense(UNITS, activation="tanh", name="hidden")(x)
    if normalized:
        x = keras.layers.BatchNormalization(epsilon=EPSILON, name="norm")(x)
    return keras.Model(inputs, keras.layers.Dense(OUTPUTS, name="head")(x))


def weights(model: Any) -> dict[str, Any]:
    """By their names in TF1."""
    layers = {"hidden": ("kernel", "bias"), "norm": NORM, "head": ("kernel", "bias")}
    own = {layer.name for layer in model.layers}
    return {
        f"model/{layer}/{leaf}": getattr(model.get_layer(layer), leaf)
        for layer, leaves in layers.items()
        for leaf in leaves
        if layer in own
    }


@dataclass(frozen=True)
class Conversion:
    handover: Handover
    dialect: Dialect
    normalized: bool = True
    optimizer: Callable[[], Any] | None = None

    @classmethod
    def of(cls, source: Source, rules: str, dialect: Dialect, folder: Path) -> "Conversion":
        path = folder / "rules.yaml"
        path.write_text(rules)
        return cls(Handover(source.prefix, path, folder, folder / "fresh", folder / "new"), dialect)

    def training(self) -> Training:
        model = keras_model(self.dialect.keras, self.normalized)
        if self.optimizer is None:
            return Training(self.dialect, model, {})
        return Training.of(self.dialect, model, self.optimizer())

    def taken_over(self) -> Training:
        return self.handover.take_over(self.training)

    def refused(self) -> str:
        self.handover.write_template(self.training())
        return self.handover.refused()

    def document(self) -> dict:
        """What `convert` says for programs; the templates must have been written."""
        h = self.handover
        arguments = (h.source, "--map", h.rules, "--like", h.fresh, "-o", h.folder / "again")
        return json.JSONDecoder().raw_decode(run("convert", *arguments, "--json"))[0]


def is_trained(name: str) -> bool:
    return "/moving_" not in name


def assert_takes(
    training: Training,
    source: Source,
    averaged: Callable[[str], bool] = is_trained,
    average: str = "{}/" + SHADOW,
) -> None:
    """Bit by bit; those that are `averaged` from the average, whatever it is called."""
    values = {}
    for name, variable in weights(training.model).items():
        stored = average.format(name) if averaged(name) else name
        values[name] = (variable, source.values[stored], 0)
    assert_values(values)
    assert_complete(training, values)


def assert_computes(training: Training, outputs: np.ndarray, others: np.ndarray) -> None:
    computed = training.outputs(X)
    assert relative_difference(computed, outputs) <= 1e-6
    assert relative_difference(computed, others) > 1e-2


# What is taken


@each_dialect
@pytest.mark.parametrize("choice", ["prefer", "only"])
def test_averages(choice, dialect, trained, tmp_path):
    """Statistics have none, and are not trained."""
    source = trained()
    rules = rule_file(f"ema: {choice}", "optimizer: drop")
    training = Conversion.of(source, rules, dialect, tmp_path).taken_over()
    assert_takes(training, source)
    assert_computes(training, source.averaged, source.raw)


@each_dialect
def test_raw_values(dialect, trained, tmp_path):
    source = trained()
    rules = rule_file("ema: ignore", "optimizer: drop")
    training = Conversion.of(source, rules, dialect, tmp_path).taken_over()
    assert_takes(training, source, none)
    assert_computes(training, source.raw, source.averaged)


def averaged_kernels(name: str) -> bool:
    return name.endswith("/kernel")


@each_dialect
def test_each_variable_for_itself(dialect, trained, tmp_path):
    """As in programs that average only some of what they train."""
    source = trained(Program(averaged=averaged_kernels))
    rules = rule_file("ema: prefer", "optimizer: drop")
    training = Conversion.of(source, rules, dialect, tmp_path).taken_over()
    assert_takes(training, source, averaged_kernels)
    assert_computes(training, source.averaged, source.raw)


@each_dialect
@pytest.mark.parametrize("graph", [True, False], ids=["meta", "names only"])
def test_only_averages_where_there_are_not_enough(graph, dialect, trained, tmp_path):
    """The graph says what was trained; without it, names do."""
    source = trained(Program(averaged=averaged_kernels))
    if not graph:
        source = without_graph(source, tmp_path)
    rules = rule_file("ema: only", "optimizer: drop")
    said = Conversion.of(source, rules, dialect, tmp_path).refused()
    raw = ("hidden/bias", "norm/gamma", "norm/beta", "head/bias")
    for name in raw:
        assert f"`ema: only`: `model/{name}` has no average" in said
    assert said.count("`ema: only`: `") == len(raw)
    assert "ema: prefer" in said


def without_graph(source: Source, folder: Path) -> Source:
    """The same checkpoint, of which only the tensors are left."""
    kept = folder / "tensors"
    kept.mkdir()
    for path in source.prefix.parent.glob(f"{source.prefix.name}.*"):
        if path.suffix != ".meta":
            (kept / path.name).write_bytes(path.read_bytes())
    return replace(source, prefix=kept / source.prefix.name)


@each_dialect
def test_nothing_said(dialect, trained, tmp_path):
    """Both would fit; one sentence names the choices."""
    said = Conversion.of(trained(), rule_file("optimizer: drop"), dialect, tmp_path).refused()
    assert said.count("error:") == 1
    for choice in ("ema: prefer", "ema: only", "ema: ignore"):
        assert choice in said
    assert "averages of 6 variables" in said


# How they are stored


def shadows_and_statistics(name: str) -> bool:
    return name.endswith(SHADOW) or not is_trained(name)


@each_dialect
@pytest.mark.parametrize("choice", ["prefer", "only"])
def test_nothing_but_averages(choice, dialect, trained, tmp_path):
    """As published by those who do not want anybody to take the others."""
    source = trained(Program(saved=shadows_and_statistics))
    assert "model/hidden/kernel" not in source.values
    rules = rule_file(f"ema: {choice}")
    training = Conversion.of(source, rules, dialect, tmp_path).taken_over()
    assert_takes(training, source)
    assert_computes(training, source.averaged, source.raw)


@each_dialect
def test_raw_values_where_there_are_none(dialect, trained, tmp_path):
    source = trained(Program(saved=shadows_and_statistics))
    said = Conversion.of(source, rule_file("ema: ignore"), dialect, tmp_path).refused()
    assert said.startswith("error: `ema: ignore`: of 6 variables")


@each_dialect
def test_another_suffix(dialect, trained, tmp_path):
    source = trained(Program(shadow="ema_0.7"))
    rules = rule_file("ema: {use: prefer, suffix: 'ema_0\\.7'}", "optimizer: drop")
    training = Conversion.of(source, rules, dialect, tmp_path).taken_over()
    assert_takes(training, source, average="{}/ema_0.7")
    assert_computes(training, source.averaged, source.raw)


@each_dialect
@pytest.mark.parametrize("choice", ["prefer", "only", "ignore"])
def test_a_suffix_that_was_not_said(choice, dialect, trained, tmp_path):
    """Nothing is converted from what may be the wrong one of two."""
    source = trained(Program(shadow="ema_0.7"))
    rules = rule_file(f"ema: {choice}", "optimizer: drop")
    said = Conversion.of(source, rules, dialect, tmp_path).refused()
    assert "model/hidden/kernel/ema_0.7" in said or "suffix" in said


@each_dialect
def test_in_a_scope(dialect, trained, tmp_path):
    """TF1 puts the scope in which the averages were made before the whole name."""
    source = trained(Program(scope="train"))
    assert f"train/model/head/bias/{SHADOW}" in source.values
    rules = rule_file("ema: prefer", "optimizer: drop")
    training = Conversion.of(source, rules, dialect, tmp_path).taken_over()
    assert_takes(training, source, average="train/{}/" + SHADOW)
    assert_computes(training, source.averaged, source.raw)


@each_dialect
def test_partitioned(dialect, trained, tmp_path):
    """Averages of partitioned variables are partitioned."""
    source = trained(Program(parts=2))
    rules = rule_file("ema: prefer", "optimizer: drop")
    training = Conversion.of(source, rules, dialect, tmp_path).taken_over()
    assert_takes(training, source)
    assert_computes(training, source.averaged, source.raw)


@each_dialect
@pytest.mark.parametrize("choice", ["prefer", "only", "ignore"])
def test_of_a_loss(choice, dialect, trained, tmp_path):
    """It is of no variable, and called what it is called."""
    source = trained(Program(loss=True))
    assert f"loss/{SHADOW}" in source.values
    rules = rule_file(f"ema: {choice}", "optimizer: drop")
    rules = rules.replace(ONE_TO_ONE, ONE_TO_ONE.replace("[", "[{drop: 'loss/.+'}, ", 1))
    training = Conversion.of(source, rules, dialect, tmp_path).taken_over()
    assert_takes(training, source, none if choice == "ignore" else is_trained)


@each_dialect
def test_of_a_loss_without_a_rule(dialect, trained, tmp_path):
    source = trained(Program(loss=True))
    rules = rule_file("ema: prefer", "optimizer: drop")
    said = Conversion.of(source, rules, dialect, tmp_path).refused()
    assert said.count("error:") == 1
    assert f"`loss/{SHADOW}` float32 [] is claimed by no rule" in said


# What else there is


ADAM = {"learning_rate": RATE, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}


def with_adam(conversion: Conversion) -> Conversion:
    make = conversion.dialect.optimizers.Adam
    return replace(conversion, normalized=False, optimizer=lambda: make(**ADAM))


@each_dialect
@pytest.mark.parametrize("choice", ["prefer", "ignore"])
def test_with_slots(choice, dialect, trained, tmp_path):
    """Slots are those of the variable, whatever becomes of its value, and training goes on."""
    source = trained(Program(normalized=False))
    rules = rule_file(f"ema: {choice}", "optimizer: {to: optimizer}")
    training = with_adam(Conversion.of(source, rules, dialect, tmp_path)).taken_over()
    optimizer, _ = training.optimizers["optimizer"]
    values = {"iterations": (optimizer.iterations, np.int64(STEPS), 0)}
    for name, variable in weights(training.model).items():
        stored = name if choice == "ignore" else f"{name}/{SHADOW}"
        values[name] = (variable, source.values[stored], 0)
        for slot, kept in (("Adam", "m"), ("Adam_1", "v")):
            slots = dialect.slot(optimizer, variable, kept)
            values[f"{name}/{kept}"] = (slots, source.values[f"{name}/{slot}"], 0)
    assert_values(values)
    assert_complete(training, values)
    losses = [training.loss(X, Y) for _ in range(AFTER)]
    same = np.allclose(losses, source.losses, rtol=1e-5)
    assert same == (choice == "prefer")


@each_dialect
def test_what_is_said_of_them(dialect, trained, tmp_path):
    """To tell later which of the two has been taken."""
    conversion = Conversion.of(
        trained(), rule_file("ema: prefer", "optimizer: drop"), dialect, tmp_path
    )
    conversion.taken_over()
    fates = {one["name"]: one["fate"] for one in conversion.document()["variables"]}
    assert fates["model/hidden/kernel/ExponentialMovingAverage"] == "mapped"
    assert fates["model/hidden/kernel"] != "mapped"
    assert fates["model/norm/moving_mean"] == "mapped"


@each_dialect
def test_rules_see_the_name_of_the_variable(dialect, trained, tmp_path):
    """Renaming and leaves come later."""
    source = trained()
    lines = [
        "version: 1",
        "root: model",
        "ema: prefer",
        "optimizer: drop",
        "rename: [{find: '^model/', replace: 'old/'}]",
        "leaves: {kernel: weights}",
        "rules:",
        "  - {from: 'old/(\\w+)/weights', to: {name: '$1/kernel'}}",
        "  - {from: 'old/(\\w+)/(\\w+)', to: {name: '$1/$2'}}",
        "",
    ]
    training = Conversion.of(source, "\n".join(lines), dialect, tmp_path).taken_over()
    assert_takes(training, source)


@each_dialect
@pytest.mark.parametrize("own", ["", "ema: ignore"], ids=["theirs", "own"])
def test_included(own, dialect, trained, tmp_path):
    """What a built-in mapping prefers need not be what is wanted."""
    (tmp_path / "theirs.yaml").write_text(rule_file("ema: prefer"))
    rules = "\n".join(["version: 1", "include: [theirs.yaml]", "optimizer: drop", own, ""])
    source = trained()
    training = Conversion.of(source, rules, dialect, tmp_path).taken_over()
    assert_takes(training, source, none if own else is_trained)


def test_a_published_checkpoint(tmp_path):
    """With everything that training left in it; the rule file is what a user has to write."""
    folders = old, new = tmp_path / "old", tmp_path / "new"
    for folder in folders:
        folder.mkdir()
    source = V1.source(old)
    slots = {
        f"{name}/{slot}": np.abs(value)
        for name, value in source.values.items()
        if not name.endswith(SHADOW) and is_trained(name)
        for slot in ("RMSProp", "RMSProp_1")
    }
    write(old / "all.ckpt", source.values | slots | {"global_step": np.int64(4_000_000)})
    target = V1.build()
    target.call()
    expected = target.variables(source.values)
    checkpoint = tf.train.Checkpoint(**target.objects)
    checkpoint.write(str(new / "fresh"))
    noise([variable for variable, _ in expected], "before the restore")

    _, included = rules_of(V1.mapping, tmp_path)
    rules = tmp_path / "rules.yaml"
    rules.write_text("\n".join(["version: 1", f"include: [{included}]", "optimizer: drop", ""]))
    like = ("--like", new / "fresh", "-o", new / "model", *V1.flags)
    run("convert", old / "all.ckpt", "--map", rules, *like)
    checkpoint.restore(str(new / "model")).assert_consumed()
    assert all(same(variable.numpy(), value, 0) for variable, value in expected)
    assert relative_difference(target.call(), V1.outputs(source.outputs)) <= 1e-5
