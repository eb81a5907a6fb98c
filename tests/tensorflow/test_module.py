"""The Python module: models take over what TF1 wrote, and errors are the command's own."""

import copy
import doctest
import html
import importlib
import os
import pickle
import pkgutil
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from dialects import EVERY_DIALECT
from families import noise
from flavours import FLAVOURS, VERSION
from generate.keras_models import mlp, recurrent
from harness import (
    TESTDATA,
    assert_bit_identical,
    assert_same_outputs,
    binary,
    fill_with_noise,
    tf1_run,
    tf1_values,
)
from module_cases import HOSTILE, assert_is_text, ckptmap, snapshot
from optimizers import ADAM, CASES, MOMENTUM, Case
from programs import MIGRATIONS
from test_odd_sources import write
from training import assert_complete, assert_same_losses, assert_values

FIRST = next(one for one in MIGRATIONS if one.case == "conv_bn_dense")
each_keras = pytest.mark.parametrize("keras", FLAVOURS.values(), ids=FLAVOURS)
each_dialect = pytest.mark.parametrize("dialect", EVERY_DIALECT, ids=str)
each_migration = pytest.mark.parametrize("migration", MIGRATIONS, ids=str)


def old(case: str) -> Path:
    return TESTDATA / case / "model.ckpt"


def waiting(migration):
    """A program with other values than TF1's."""
    program = migration.program()
    program.build(migration.case, tf1_run(migration.case)[0])
    return program


def subject(program):
    """A model alone, or the checkpoint where there is no model."""
    return program.objects.get("model") or program.checkpoint()


def assert_is_tf1s(program, case: str) -> None:
    assert_bit_identical(program.variables(), tf1_values(case))
    inputs, outputs = tf1_run(case)
    assert_same_outputs(program.call(inputs), outputs)


def command(*arguments) -> subprocess.CompletedProcess:
    words = [str(binary()), *map(str, arguments)]
    # What a pipe has no lines of; pytest says that it has.
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    return subprocess.run(words, capture_output=True, text=True, timeout=60, env=environment)


def printed(*arguments) -> str:
    """What the command prints when it cannot do it, without the word that Python has a class for."""
    done = command(*arguments)
    assert done.returncode != 0
    errors = done.stderr.strip("\n")
    return errors if "\nerror: " in errors else errors.removeprefix("error: ")


# Restoring.


@each_migration
def test_by_rules(migration):
    program = waiting(migration)
    rules = TESTDATA / migration.case / migration.rules
    report = ckptmap.restore(subject(program), old(migration.case), rules)
    assert_is_tf1s(program, migration.case)
    assert report.rules == rules.read_text()
    assert report.suggestion is None and report.likely == []
    assert {one.target for one in report.values} == {one["target"] for one in report.json["values"]}


@each_migration
def test_by_proposed_rules(migration, tmp_path):
    """Where all is found; where it is not, that is said and the model is as it was."""
    program = waiting(migration)
    before = snapshot(program.variables().values())
    try:
        report = ckptmap.restore(subject(program), old(migration.case))
    except ckptmap.SuggestionError as error:
        assert snapshot(program.variables().values()) == before
        assert error.open or "open: " in str(error)
        assert "hints=" in str(error)
        assert error.rules.startswith("# ") and "version: 1" in error.rules
        return
    assert_is_tf1s(program, migration.case)
    assert report.suggestion is not None
    for one in report.likely:
        assert one.confidence == "likely" and one.path in repr(report)
    # What was proposed can be kept and does the same.
    report.save_rules(tmp_path / "kept.yaml")
    again = waiting(migration)
    ckptmap.restore(subject(again), old(migration.case), tmp_path / "kept.yaml")
    assert_is_tf1s(again, migration.case)


def test_most_rules_are_found():
    """Or the test before this one shows nothing."""
    found = 0
    for migration in MIGRATIONS:
        try:
            ckptmap.restore(subject(waiting(migration)), old(migration.case))
            found += 1
        except ckptmap.SuggestionError:
            pass
    assert found >= len(MIGRATIONS) / 2


BUILTINS = ["resnet-v1-keras", "bert-hf" if VERSION == "2.15" else "bert-kerashub"]


# A mapping at a time: what Keras 2 has built, it does not call after another graph of TF1.
@pytest.mark.parametrize("named", [True, False], ids=["named", "found"])
@pytest.mark.parametrize("mapping", BUILTINS)
def test_by_a_builtin(mapping, named, takeover_of):
    from takeovers import HERE

    family = next(one for one in HERE if one.mapping == mapping)
    takeover = takeover_of(family)
    settings = dict(flag.split("=") for flag in family.flags if "=" in flag)
    noise(takeover.variables(), "before")
    rules = f"builtin:{mapping}" if named else None
    objects = takeover.target.objects
    (name,) = objects
    one = objects["model"] if name == "model" else takeover.checkpoint()
    report = ckptmap.restore(one, takeover.source.prefix, rules, set=settings)
    assert not takeover.wrong()
    assert takeover.difference() <= 1e-4
    if named:
        assert report.rules == command("mappings", mapping).stdout
    else:
        assert report.suggestion.builtin == mapping


def test_a_builtin_for_a_compiled_model(takeover_of):
    """Mappings for well-known models say nothing of optimizers."""
    from takeovers import HERE

    family = next(one for one in HERE if one.mapping == BUILTINS[1])
    takeover = takeover_of(family)
    model = takeover.target.objects["model"]
    model.compile("adam")
    noise(takeover.variables(), "before")
    report = ckptmap.restore(model, takeover.source.prefix, f"builtin:{family.mapping}")
    assert not takeover.wrong()
    assert "optimizer: keep" in report.rules
    assert any(one.kept and one.target.endswith("learning_rate") for one in report.values)


# Optimizers, of each generation.

TRAININGS = [
    Case("adam", ADAM),
    Case("momentum", MOMENTUM),
    next(case for case in CASES if case.fixture == "cnn_momentum"),
]


@each_dialect
@pytest.mark.parametrize("rules", [True, False], ids=["rules", "found"])
@pytest.mark.parametrize("case", TRAININGS, ids=str)
def test_training_goes_on(case, dialect, rules):
    training = case.training(dialect)
    training.fill_with_noise()
    # So that it has the right ones again.
    right = case.training(dialect)
    for name, variable in dialect.hyperparameters(training.optimizers["optimizer"][0]).items():
        variable.assign(dialect.hyperparameters(right.optimizers["optimizer"][0])[name])
    optimizer, _ = training.optimizers["optimizer"]
    folder = TESTDATA / "optimizers" / case.fixture
    given = folder / "rules.yaml" if rules else None
    ckptmap.restore(training.model, folder / "model.ckpt", given, optimizer=optimizer)
    values = case.values(training)
    assert_values(values)
    assert_complete(training, values)
    assert_same_outputs(training.outputs(case.truth.inputs[0]), case.truth.outputs)
    if case.fixture != "cnn_momentum":
        assert_same_losses(training.losses(case.truth), case.truth)


@each_dialect
def test_an_optimizer_is_built(dialect):
    case = TRAININGS[0]
    model = mlp(dialect.keras)
    optimizer = ADAM.make(dialect, case.truth.hyperparameters)
    folder = TESTDATA / "optimizers" / "adam"
    ckptmap.restore(model, folder, folder / "rules.yaml", optimizer=optimizer)
    slot = dialect.slot(optimizer, model.head.kernel, "m")
    stored = case.truth.variables["model/dense_2/kernel/Adam"]
    np.testing.assert_array_equal(np.asarray(slot), stored)
    assert int(optimizer.iterations.numpy()) == 20


@each_keras
def test_a_compiled_model(keras):
    """Its optimizer is the model's own, and goes on when it is fitted."""
    case = TRAININGS[0]
    model = mlp(keras)
    given = case.truth.hyperparameters
    dialect = next(one for one in EVERY_DIALECT if one.keras is keras and one.name != "legacy")
    model.compile(ADAM.make(dialect, given), "mse")
    folder = TESTDATA / "optimizers" / "adam"
    report = ckptmap.restore(model, folder)
    assert any("optimizer" in one.target for one in report.values)
    assert report.advice and all(html.escape(one) in report._repr_html_() for one in report.advice)
    losses = [
        model.train_on_batch(x, y)
        for x, y in zip(case.truth.inputs[:5], case.truth.targets[:5], strict=True)
    ]
    np.testing.assert_allclose(np.ravel(losses), case.truth.losses[:5], rtol=1e-5)


# What is left alone.


def test_nothing_but_values_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "scratch").mkdir()
    program = waiting(FIRST)
    checkpoint = program.checkpoint()
    attributes = set(vars(checkpoint))
    ckptmap.restore(checkpoint, old(FIRST.case), TESTDATA / FIRST.case / FIRST.rules)
    assert_is_tf1s(program, FIRST.case)
    # Its own name for it makes one.
    assert checkpoint._save_counter is None
    assert {name.lstrip("_") for name in set(vars(checkpoint)) - attributes} <= {"update_uid"}
    assert [one.name for one in tmp_path.iterdir()] == ["scratch"]
    assert not list((tmp_path / "scratch").iterdir())


def test_a_checkpoint_that_was_saved_before(tmp_path):
    """It has a counter, and keeps it."""
    program = waiting(FIRST)
    checkpoint = program.checkpoint()
    checkpoint.save(str(tmp_path / "one"))
    checkpoint.save(str(tmp_path / "one"))
    ckptmap.restore(checkpoint, old(FIRST.case), TESTDATA / FIRST.case / FIRST.rules)
    assert_is_tf1s(program, FIRST.case)
    assert int(checkpoint.save_counter) == 2


def test_a_checkpoint_of_another_shape():
    """Two models in one, of which the old checkpoint has one."""
    program, other = waiting(FIRST), tf.Variable(3.0)
    checkpoint = tf.train.Checkpoint(model=program.objects["model"], other=other)
    rules = TESTDATA / FIRST.case / FIRST.rules
    with pytest.raises(ckptmap.PlanError) as caught:
        ckptmap.restore(checkpoint, old(FIRST.case), rules)
    assert "other" in str(caught.value)
    ckptmap.restore(checkpoint, old(FIRST.case), rules, keep_missing=True)
    assert_is_tf1s(program, FIRST.case)
    assert float(other) == 3.0


@pytest.mark.parametrize("rules", ["rules-typo.yaml", "rules-swapped.yaml"])
def test_wrong_rules(rules, tmp_path):
    """Those that do not fit leave everything as it is. Those that fit and are wrong are obeyed."""
    migration = next(one for one in MIGRATIONS if one.case == "conv3")
    program = waiting(migration)
    before = snapshot(program.variables().values())
    file = TESTDATA / "conv3" / rules
    if rules == "rules-swapped.yaml":
        ckptmap.restore(subject(program), old("conv3"), file)
        with pytest.raises(AssertionError):
            assert_is_tf1s(program, "conv3")
        return
    with pytest.raises(ckptmap.PlanError) as caught:
        ckptmap.restore(subject(program), old("conv3"), file)
    assert snapshot(program.variables().values()) == before
    program.checkpoint().write(str(tmp_path / "fresh"))
    like = ("--like", tmp_path / "fresh", "--for", "read")
    assert str(caught.value) == printed("plan", old("conv3"), "--map", file, *like)
    assert caught.value.status == 1
    assert [one.kind for one in caught.value.problems][:1] == ["scope"]
    assert str(caught.value.problems[0].place) == f"{file}:6:14"


def test_what_tensorflow_refuses_is_undone(monkeypatch):
    """Should the result be right for the program and wrong for TensorFlow."""
    program = waiting(FIRST)
    before = snapshot(program.variables().values())
    read = tf.train.Checkpoint.read

    class Refusing:
        def assert_consumed(self):
            raise AssertionError("something is left over")

    def refuse(self, path, **options):
        read(self, path, **options)
        assert snapshot(program.variables().values()) != before or path.endswith("fresh")
        return Refusing()

    monkeypatch.setattr(tf.train.Checkpoint, "read", refuse)
    with pytest.raises(ckptmap.RestoreError, match="something is left over"):
        ckptmap.restore(subject(program), old(FIRST.case), TESTDATA / FIRST.case / FIRST.rules)
    assert snapshot(program.variables().values()) == before


# What cannot be done.


@each_keras
def test_layers_in_a_list(keras):
    """Keras 3 leaves them out of its checkpoints, so that nothing could be restored into them."""
    dense = keras.layers.Dense

    class Listed(keras.Model):
        def __init__(self):
            super().__init__()
            self.body = [dense(5, activation="tanh"), dense(5, activation="tanh")]
            self.head = dense(2)

        def call(self, x):
            for layer in self.body:
                x = layer(x)
            return self.head(x)

    model = Listed()
    model(tf.zeros([1, 5]))
    names = [f"model/body/{at}" for at in range(2)] + ["model/head"]
    hints = {
        f"model/dense{end}/{leaf}": f"{name}/{leaf}"
        for name, end in zip(names, ("", "_1", "_2"), strict=True)
        for leaf in ("kernel", "bias")
    }
    before = snapshot(model.weights)
    restore = lambda one: ckptmap.restore(one, old("optimizers/adam"), hints=hints)  # noqa: E731
    if getattr(keras, "__version__", "2").startswith("3"):
        for one in (model, tf.train.Checkpoint(model=model)):
            with pytest.raises(ckptmap.Error, match="4 of the 6 variables of `model`.* list"):
                restore(one)
        assert snapshot(model.weights) == before
    else:
        restore(model)
        values = tf1_values("optimizers/adam")
        for variable, name in zip(model.weights, hints, strict=True):
            np.testing.assert_array_equal(variable.numpy(), values[name])


@each_keras
def test_models_without_variables(keras):
    dense = keras.layers.Dense
    for model in (keras.Sequential([dense(3)]), type("Own", (keras.Model,), {})()):
        with pytest.raises(ckptmap.Error, match=r"no variables yet.*call it once"):
            ckptmap.restore(model, old("conv3"))
        with pytest.raises(ckptmap.Error, match=r"`model` .*no variables yet.*call it once"):
            ckptmap.restore(tf.train.Checkpoint(model=model), old("conv3"))
    with pytest.raises(ckptmap.Error, match="no variables yet"):
        ckptmap.restore(tf.train.Checkpoint(), old("conv3"))


def test_things_that_are_no_models():
    with pytest.raises(TypeError, match="neither a `tf.train.Checkpoint`"):
        ckptmap.restore("old/model.ckpt", old("conv3"))
    with pytest.raises(TypeError, match="has its optimizer in it"):
        ckptmap.restore(tf.train.Checkpoint(), old("conv3"), optimizer=object())
    with pytest.raises(TypeError, match="leave `rules` out"):
        ckptmap.restore(tf.train.Checkpoint(), old("conv3"), "rules.yaml", strict=True)
    keras = next(iter(FLAVOURS.values()))
    with pytest.raises(TypeError, match="nor something that it can hold: str"):
        ckptmap.restore(mlp(keras), old("conv3"), optimizer="adam")
    optimizer = keras.optimizers.SGD()
    with pytest.raises(TypeError, match="a list does not say which variables"):
        ckptmap.restore([tf.Variable(0.0)], old("conv3"), optimizer=optimizer)


@each_keras
def test_open_suggestions(keras, tmp_path):
    """Three layers that nothing tells apart, until somebody does."""
    values = {f"{name}/kernel": np.full((4, 4), i, np.float32) for i, name in enumerate("opq")}
    write(tmp_path / "old", values)
    layers = [keras.layers.Dense(4, use_bias=False) for _ in "xyz"]
    model = keras.Sequential([keras.Input((4,)), *layers])
    before = snapshot(model.weights)
    with pytest.raises(ckptmap.SuggestionError) as caught:
        ckptmap.restore(model, tmp_path / "old")
    error = caught.value
    assert snapshot(model.weights) == before
    assert len(error.open) == 3 and "hints=" in str(error)
    tf.train.Checkpoint(model=model).write(str(tmp_path / "fresh"))
    done = command("suggest", tmp_path / "old", "--like", tmp_path / "fresh")
    told, _ = done.stderr.removeprefix("note: ").split("\nsave it as")
    assert str(error).startswith(f"{told}\n")
    header = "\n".join(done.stdout.splitlines()[1:])
    assert "\n".join(error.rules.splitlines()[1:]) == header
    # What the message says that can be done where the old checkpoint has nothing.
    error_rules = tmp_path / "open.yaml"
    error_rules.write_text(f"{error.rules}unmatched: drop\n", encoding="utf-8")
    assert "keep_missing=True" in str(error)
    ckptmap.restore(model, tmp_path / "old", error_rules, keep_missing=True)
    assert snapshot(model.weights) == before
    with pytest.raises(ckptmap.SuggestionError):
        ckptmap.restore(model, tmp_path / "old", keep_missing=True)
    with pytest.raises(ckptmap.Error, match="to the model: the new model has no `nothing`"):
        ckptmap.restore(model, tmp_path / "old", hints={"o/kernel": "nothing"})
    # Two are enough to know the third.
    hints = {f"{name}/kernel": path for name, path in zip("qo", error.open[:2], strict=True)}
    report = ckptmap.restore(model, tmp_path / "old", hints=hints)
    assert sorted(one.sources[0] for one in report.values) == sorted(values)
    assert sorted(float(np.mean(kernel)) for kernel in model.weights) == [0, 1, 2]
    by_target = {one.target: one.sources[0] for one in report.values}
    assert by_target[error.open[0]] == "q/kernel" and by_target[error.open[1]] == "o/kernel"


@each_keras
def test_strict(keras):
    """What is likely is refused when only what is certain will do, and said otherwise."""
    model = mlp(keras)
    before = snapshot(model.weights)
    with pytest.raises(ckptmap.SuggestionError, match="not all of it is certain") as caught:
        ckptmap.restore(model, TESTDATA / "optimizers/adam", strict=True)
    assert snapshot(model.weights) == before and caught.value.open == []
    assert "hidden_1" in caught.value.rules
    report = ckptmap.restore(model, TESTDATA / "optimizers/adam")
    assert len(report.likely) == 4
    assert "4 of these pairs are likely" in repr(report)
    page = report._repr_html_()
    assert "4 of these pairs are likely" in page and html.escape(report.likely[0].reasons[0]) in page


WRONG_FILES = {
    "foreign/weights.h5": (), "foreign/frozen.pb": (), "foreign/variables.npz": (),
    "no/such/file": (), "conv3/model.ckpt": ("no/such/variable",),
}


@pytest.mark.parametrize("file", WRONG_FILES)
def test_errors_are_the_commands(file):
    path, names = TESTDATA / file, WRONG_FILES[file]
    with pytest.raises(ckptmap.Error) as caught:
        ckptmap.load_variable(path, *names or ["x"])
    assert str(caught.value) == printed("show", path, *names or ["x"])
    assert caught.value.status == 2
    if not names:
        with pytest.raises(ckptmap.Error) as caught:
            ckptmap.restore(mlp(next(iter(FLAVOURS.values()))), path)
        assert str(caught.value) == printed("list", path)


@pytest.mark.parametrize("name", ["nul\0", "half\ud800"], ids=ascii)
def test_names_that_no_command_line_holds(name):
    with pytest.raises(ckptmap.Error, match="cannot be handed to the program"):
        ckptmap.load_variable(old("conv3"), name)


def test_errors_go_from_process_to_process():
    problem = ckptmap.Problem("scope", "left over", ckptmap.Place("rules.yaml", 6, 14), "do this")
    for error in (
        ckptmap.Error("no", 2),
        ckptmap.PlanError("no", 1, [problem]),
        ckptmap.SuggestionError("no", 1, "version: 1\n", ["model/kernel"]),
        ckptmap.RestoreError("no"),
    ):
        for copied in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
            assert type(copied) is type(error)
            assert str(copied) == "no" and vars(copied) == vars(error)


def test_other_programs(monkeypatch, tmp_path):
    path = binary()

    def program(says: str) -> None:
        path = tmp_path / f"program-{abs(hash(says))}"
        path.write_text(f"#!/bin/sh\necho '{says}'\n")
        path.chmod(0o755)
        monkeypatch.setenv("CKPTMAP", str(path))

    program("ckptmap 0.0.7")
    with pytest.raises(ckptmap.Error, match=rf"{ckptmap.__version__}.*is 0\.0\.7.*same version"):
        ckptmap.check(old("conv3"))
    program("hello")
    with pytest.raises(ckptmap.Error, match="is not ckptmap"):
        ckptmap.check(old("conv3"))
    monkeypatch.setenv("CKPTMAP", str(tmp_path / "nothing"))
    with pytest.raises(ckptmap.Error, match="names no file"):
        ckptmap.check(old("conv3"))
    # Nothing is installed beside a source tree.
    monkeypatch.delenv("CKPTMAP")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ckptmap.Error, match="was found neither beside the package nor on PATH"):
        ckptmap.check(old("conv3"))
    monkeypatch.setenv("PATH", str(path.parent))
    assert ckptmap.check(old("conv3")).ok


WAITS = """#!/bin/sh
[ "$1" = --version ] && echo "ckptmap {version}" && exit
trap 'echo interrupted >>"{folder}/told"; sleep 0.5; rm "{folder}/scratch"; exit 130' INT
touch "{folder}/scratch"
while true; do sleep 0.05; done
"""


def test_interrupted(tmp_path, monkeypatch):
    """As Ctrl-C reaches Python: the program hears of it once and ends first, in its own time."""
    script = tmp_path / "ckptmap"
    script.write_text(WAITS.format(version=ckptmap.__version__, folder=tmp_path))
    script.chmod(0o755)
    monkeypatch.setenv("CKPTMAP", str(script))

    def interrupt() -> None:
        for _ in range(600):
            time.sleep(0.05)
            if (tmp_path / "scratch").exists():
                break
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        ckptmap.convert(old("conv3"), tmp_path / "new", rules="rules.yaml")
    assert (tmp_path / "told").read_text() == "interrupted\n"
    assert not (tmp_path / "scratch").exists()


def test_interrupted_at_the_very_end(tmp_path, monkeypatch):
    """Temporary files go also if Ctrl-C comes while they go."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    remove, calls = shutil.rmtree, []

    def interrupted(path, *arguments, **options):
        calls.append(path)
        if len(calls) == 1:
            raise KeyboardInterrupt
        remove(path, *arguments, **options)

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ckptmap.list_variables(old("conv3"))
    assert len(calls) == 2 and not list(tmp_path.iterdir())


# Commands.


def test_list(tmp_path):
    found = ckptmap.list_variables(old("optimizers/adam"))
    assert repr(found) == command("list", old("optimizers/adam")).stdout.rstrip("\n")
    shapes = tf.train.load_checkpoint(str(old("optimizers/adam"))).get_variable_to_shape_map()
    assert {one.name: list(one.shape) for one in found} == shapes
    slot = next(one for one in found if one.name == "model/dense/kernel/Adam_1")
    assert slot.slot_of == "model/dense/kernel" and slot.dtype == "float32"
    assert slot.size == 25 and slot.nbytes == 100
    assert [one.name for one in ckptmap.list_variables(old("conv3"), "*_1/*")] == [
        "model/conv2d_1/bias", "model/conv2d_1/kernel",
    ]
    assert found.checkpoint == str(old("optimizers/adam")) and not found.object_based
    assert len(ckptmap.list_variables(old("conv3"), "nothing")) == 0


@pytest.mark.parametrize("archive", ["dtypes_tf215", "dtypes_tf221"])
def test_every_type(archive):
    """As TensorFlow reads it; where it reads it not, as its bytes were kept."""
    import json

    stored = json.loads((TESTDATA / archive / "expected.json").read_text())
    reader = tf.train.load_checkpoint(str(TESTDATA / archive / "model.ckpt"))
    here = archive == f"dtypes_tf{VERSION.replace('.', '')}"
    seen = set()
    for variable in ckptmap.list_variables(TESTDATA / archive):
        try:
            value = ckptmap.load_variable(TESTDATA / archive, variable.name)
        except ckptmap.Error as error:
            # An `ml_dtypes` older than the type.
            import ml_dtypes

            assert not hasattr(ml_dtypes, variable.dtype)
            assert f"NumPy has no {variable.dtype}: install a newer `ml_dtypes`" in str(error)
            continue
        seen.add(variable.dtype)
        assert value.shape == variable.shape
        if variable.dtype != "string":
            assert value.tobytes().hex() == stored[variable.name]
        if not here:
            continue
        expected = reader.get_tensor(variable.name)
        if variable.dtype == "string":
            np.testing.assert_array_equal(value, np.asarray(expected, object), strict=True)
        elif not variable.dtype.startswith(("q", "uq")):
            assert value.dtype == np.asarray(expected).dtype, variable
    assert {"string", "bfloat16", "complex64", "bool", "qint8", "int4", "float8_e5m2"} <= seen


def test_parts():
    whole = ckptmap.load_variable(old("conv_bn_dense"), "model/dense/kernel")
    part = ckptmap.load_variable(old("conv_bn_dense"), "model/dense/kernel[3:9:2, -1]")
    np.testing.assert_array_equal(part, whole[3:9:2, -1], strict=True)


def test_no_ml_dtypes(monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(ckptmap.Error, match="NumPy has no bfloat16"):
        ckptmap.load_variable(old("dtypes_tf215"), "bfloat16/matrix")
    assert ckptmap.load_variable(old("dtypes_tf215"), "float16/matrix").shape == (3, 5)


def test_plan_and_convert(tmp_path):
    rules = TESTDATA / "conv3/rules-keras2.yaml"
    planned = ckptmap.plan(old("conv3"), rules)
    assert repr(planned) == command("plan", old("conv3"), "--map", rules).stdout.rstrip("\n")
    assert planned.values[1].rule.line == 6
    assert planned.fates["model/conv2d/bias"] == "mapped"
    report = ckptmap.convert(old("conv3"), tmp_path / "new", rules=rules)
    assert report.checkpoint == str(tmp_path / "new")
    assert {one.path for one in report.files} == {str(one) for one in tmp_path.iterdir()}
    done = command("convert", old("conv3"), "--map", rules, "-o", tmp_path / "con")
    assert repr(report) == done.stdout.replace("/con.", "/new.").rstrip("\n")
    with pytest.raises(ckptmap.Error, match="--force"):
        ckptmap.convert(old("conv3"), tmp_path / "new", rules=rules)
    for options in ({"link": True}, {"memory": "1MiB", "sync": False}, {"keep_names": True}):
        ckptmap.convert(old("conv3"), tmp_path / "new", rules=rules, force=True, **options)
    names = [one.name for one in ckptmap.list_variables(tmp_path / "new")]
    assert "model/conv2d/bias" in names
    back = ckptmap.convert(tmp_path / "new", tmp_path / "back", rules=rules, like=old("conv3"),
                           reverse=True)
    assert ckptmap.diff(old("conv3"), back.checkpoint).equal
    assert ckptmap.diff(old("conv3"), report.checkpoint, rules=rules, keep_names=True).equal


def test_diff(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    write(one, {"w": np.float32([1, 2, 3]), "only": np.float32(0), "same": np.int32(7)})
    write(other, {"w": np.float32([1, 2, 3.5]), "same": np.int32(7)})
    found = ckptmap.diff(one, other)
    assert not found.equal
    assert repr(found) == command("diff", one, other).stdout.rstrip("\n")
    by_name = {each.name: each for each in found.differences}
    assert by_name.keys() == {"w", "only"} and by_name["only"].kind == "only_in_a"
    assert (by_name["w"].different, by_name["w"].elements) == (1, 3)
    assert by_name["w"].absolute == 0.5
    assert [each.name for each in ckptmap.diff(one, other, atol=1).differences] == ["only"]


def test_check(tmp_path):
    write(tmp_path / "one", {"w": np.float32([1, 2, 3])})
    assert ckptmap.check(tmp_path / "one", old("conv3")).ok
    data = next(tmp_path.glob("one.data*"))
    data.write_bytes(data.read_bytes()[:-1] + b"x")
    found = ckptmap.check(tmp_path / "one", old("conv3"))
    assert not found.ok and len(found.checkpoints) == 2
    assert "w" in found.checkpoints[0].damaged[0] and found.checkpoints[1].damaged == ()


def test_suggest():
    found = ckptmap.suggest(TESTDATA / "optimizers/adam", TESTDATA / "templates/keras3_adam")
    assert found.complete and found.builtin is None
    assert {one.confidence for one in found.pairings} == {"certain", "likely"}
    assert found.text == found.rules


@pytest.mark.parametrize("name", [one.name for one in pkgutil.iter_modules(ckptmap.__path__)])
def test_examples(name, monkeypatch):
    """Those of the documentation; all that is public has one."""
    if name == "__main__":
        return
    monkeypatch.chdir(TESTDATA.parent)
    monkeypatch.delenv("COLUMNS", raising=False)
    module = importlib.import_module(f"ckptmap.{name}")
    assert doctest.testmod(module, optionflags=doctest.REPORT_NDIFF).failed == 0


def test_the_example_of_the_package(monkeypatch):
    monkeypatch.chdir(TESTDATA.parent)
    result = doctest.testmod(ckptmap)
    assert (result.failed, result.attempted > 0) == (0, True)
    public = [getattr(ckptmap, name) for name in ckptmap.__all__ if not name.startswith("_")]
    assert not [one for one in public if ">>> " not in one.__doc__]


# What notebooks show.


def test_names_are_text(tmp_path):
    write(tmp_path / "one", {HOSTILE: np.float32([1])})
    write(tmp_path / "other", {HOSTILE: np.float32([2])})
    listing = ckptmap.list_variables(tmp_path / "one")
    assert listing[0].name == HOSTILE
    reports = [listing, ckptmap.diff(tmp_path / "one", tmp_path / "other")]
    (tmp_path / "rules.yaml").write_text("version: 1\nrules:\n  - {from: '.+', to: 'w'}\n")
    reports.append(ckptmap.plan(tmp_path / "one", tmp_path / "rules.yaml"))
    for report in reports:
        assert_is_text(report._repr_html_(), HOSTILE)
        assert "\x1b" not in repr(report) and "\u202e" not in repr(report)
    program = tf.train.Checkpoint(w=tf.Variable([0.0]))
    report = ckptmap.restore(program, tmp_path / "one", tmp_path / "rules.yaml")
    assert_is_text(report._repr_html_(), HOSTILE)
    assert float(program.w[0]) == 1


def test_tables_are_bounded(tmp_path):
    write(tmp_path / "many", {f"v{i}": np.float32(i) for i in range(300)})
    page = ckptmap.list_variables(tmp_path / "many")._repr_html_()
    assert page.count("<tr>") == 101 and "200 more" in page
    page = ckptmap.Report("", "note: x\n" * 300, {})._repr_html_()
    assert page.count("note: x") == 100 and "200 more" in page


def test_recurrent_models():
    keras = next(iter(FLAVOURS.values()))
    model = recurrent(keras)
    fill_with_noise("recurrent", dict(enumerate(model.weights)))
    report = ckptmap.restore(
        model, TESTDATA / "recurrent/lstm", TESTDATA / "recurrent/lstm/rules.yaml",
        keep_missing=True,
    )
    assert any(one.transforms for one in report.values)
    assert_is_text(report._repr_html_(), "model/")
