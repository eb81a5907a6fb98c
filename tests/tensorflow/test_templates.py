"""A template's graph is kept whole: every kind of model finds itself again in what is written."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from dialects import each_dialect, every_dialect
from flavours import FLAVOURS
from generate.keras_models import functional, listed, sequential
from harness import assert_same_outputs, convert
from object_graph import COUNTER, object_graph, without_save_counter
from optimizers import ADAM, Case, by_layer_name, by_position
from training import Handover, Training, assert_complete, assert_values

KINDS = {
    "functional": (Case("adam", ADAM, functional, by_layer_name), "rules-names.yaml"),
    "sequential": (Case("adam", ADAM, sequential, by_layer_name), "rules-names.yaml"),
    "lists": (Case("adam", ADAM, listed, by_position), "rules-lists.yaml"),
}
each_kind = pytest.mark.parametrize(("case", "rules"), KINDS.values(), ids=list(KINDS))
each_way = pytest.mark.parametrize("how", ["restore", "read"])


@every_dialect
@each_kind
@each_way
def test_every_kind_of_model(case, rules, how, dialect, tmp_path):
    """`take_over` has seen both assertions pass."""
    handover = Handover.of(case.fixture, tmp_path, rules)
    training = handover.take_over(lambda: case.training(dialect), how=how)
    values = case.values(training)
    assert_values(values)
    assert_complete(training, values)
    assert_same_outputs(training.outputs(case.truth.inputs[0]), case.truth.outputs)


@each_dialect
@each_kind
@each_way
def test_the_graph_is_the_template_s(case, rules, how, dialect, tmp_path):
    handover = Handover.of(case.fixture, tmp_path, rules)
    handover.write_template(case.training(dialect))
    handover.convert("--for", how)
    wanted, found = object_graph(handover.fresh), object_graph(handover.new)
    # Written with `write`, the template has no counter; only `restore` wants one.
    if how == "restore":
        found = without_save_counter(found)
    assert found == wanted


@each_dialect
@each_way
def test_the_counter_of_a_template_that_was_saved(how, dialect, tmp_path):
    case, rules = KINDS["functional"]
    handover = Handover.of(case.fixture, tmp_path, rules)
    checkpoint = case.training(dialect).checkpoint()
    saved = [checkpoint.save(str(tmp_path / "saved")) for _ in range(3)][-1]
    new = convert(handover.source, handover.rules, handover.new, "--like", saved, "--for", how)
    found, wanted = object_graph(new), object_graph(saved)
    assert found == (wanted if how == "restore" else without_save_counter(wanted))
    if how == "restore":
        assert tf.train.load_variable(new, COUNTER) == 3


class Everything:
    """What else a program may keep in its checkpoints; rules for the model say nothing of it."""

    def __init__(self, training: Training):
        self.table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
        self.variable = tf.Variable([0.0, 0.0])
        self.iterator = iter(tf.data.Dataset.range(100))
        optimizer, _ = training.optimizers["optimizer"]
        self.checkpoint = tf.train.Checkpoint(
            # An alias that comes first: the weights get their keys by it.
            again=training.model,
            model=training.model,
            optimizer=optimizer,
            mixed={"a/b": [self.variable], "c.d": self.table},
            position=self.iterator,
        )
        # A cycle.
        self.checkpoint.mixed["up"] = self.checkpoint

    def use(self) -> None:
        self.table.insert(["one", "two"], [1, 2])
        self.variable.assign([3.0, 4.0])
        assert [int(next(self.iterator)) for _ in range(5)] == list(range(5))


@each_dialect
def test_everything_else_in_a_template_stays(dialect, tmp_path):
    case, rules = KINDS["lists"]
    handover = Handover.of(case.fixture, tmp_path, rules)
    template = Everything(case.training(dialect))
    template.use()
    template.checkpoint.write(str(handover.fresh))
    handover.convert("--keep-missing")
    graph = without_save_counter(object_graph(handover.new))
    assert graph == object_graph(handover.fresh)

    training = case.training(dialect)
    training.fill_with_noise()
    program = Everything(training)
    status = program.checkpoint.restore(str(handover.new))
    status.assert_consumed()
    status.assert_existing_objects_matched()
    assert_values(case.values(training))
    assert program.table.lookup(tf.constant(["two", "one", "three"])).numpy().tolist() == [2, 1, -1]
    assert program.variable.numpy().tolist() == [3.0, 4.0]
    assert int(next(program.iterator)) == 5


WEIGHTS_ALONE = """\
version: 1
scopes:
  - within: model
    target: names
    layers: [{dense: hidden_1}, {dense: hidden_2}, {dense: head}]
optimizer: drop
"""


def save_weights(model, prefix: Path) -> Path:
    model.save_weights(str(prefix))
    return prefix


def save_model(model, directory: Path) -> Path:
    tf.saved_model.save(model, str(directory))
    return directory


@pytest.mark.parametrize("save", [save_weights, save_model])
def test_a_model_without_anything_around_it(save, tmp_path):
    """Keras 2 has its own words for it; the model itself is the root."""
    keras, case = FLAVOURS["keras2"], KINDS["functional"][0]
    rules = tmp_path / "rules.yaml"
    rules.write_text(WEIGHTS_ALONE)
    handover = replace(case.handover(tmp_path), rules=rules)
    fresh = save(functional(keras), tmp_path / "fresh")
    replace(handover, fresh=fresh).convert("--for", "read")
    model = functional(keras)
    status = model.load_weights(str(handover.new))
    status.assert_existing_objects_matched()
    if save is save_weights:
        status.assert_consumed()
    for name, variable in by_layer_name(model).items():
        np.testing.assert_array_equal(variable, case.truth.variables[name])


@each_dialect
def test_what_is_in_the_template_alone_is_asked_about(dialect, tmp_path):
    case, rules = KINDS["lists"]
    handover = Handover.of(case.fixture, tmp_path, rules)
    Everything(case.training(dialect)).checkpoint.write(str(handover.fresh))
    said = handover.refused()
    assert "--keep-missing" in said
    assert "mixed" in said
