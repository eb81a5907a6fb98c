"""What `scopes` prints is a part of a rule file as it is: pasted unchanged, it converts."""

import json

import numpy as np
import pytest
import tensorflow as tf

from flavours import FLAVOURS, tf1_cells, tf1_layers
from harness import TESTDATA, assert_continues, convert, run
from programs import CNN, cnn

HEAD = "version: 1\nroot: model\ntarget: {}\n"


def pasted(prefix, target, output):
    """A rule file of three lines and what `scopes` says."""
    rules = output.parent / f"{output.name}.yaml"
    rules.write_text(HEAD.format(target) + run("scopes", prefix))
    return rules


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_pasted_unchanged(flavour, output):
    source = TESTDATA / "conv_bn_dense" / "model.ckpt"
    rules = pasted(source, flavour, output)
    prefix = convert(source, rules, output)
    # Its attributes are called what TF1 called the layers.
    assert_continues("conv_bn_dense", cnn(FLAVOURS[flavour], tuple(CNN)), prefix)


def test_numbers_have_gaps(tmp_path):
    """Layers that share a counter, one of them not saved, one with a name that takes a number."""
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None, 4])
        with tf.compat.v1.variable_scope("net"):
            for name in [None, None, "dense_3", None, None]:
                x = tf1_layers.dense(x, 4, name=name)
        variables = tf.compat.v1.global_variables()
        saved = [one for one in variables if not one.op.name.startswith("net/dense_1/")]
        assert {one.op.name.split("/")[1] for one in variables} == {
            "dense", "dense_1", "dense_3", "dense_2", "dense_4",
        }
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            session.run([one.assign(tf.random.normal(one.shape)) for one in variables])
            values = {one.op.name: value for one, value in zip(saved, session.run(saved))}
            prefix = tf.compat.v1.train.Saver(saved).save(session, str(tmp_path / "old.ckpt"))
    said = run("scopes", prefix)
    assert "not in the checkpoint: 2 variables" in said
    output = tmp_path / "new" / "ckpt"
    output.parent.mkdir()
    convert(prefix, pasted(prefix, "keras2", output), output)
    reader = tf.train.load_checkpoint(str(output))
    for name, value in values.items():
        key = name.replace("net/", "model/") + "/.ATTRIBUTES/VARIABLE_VALUE"
        np.testing.assert_array_equal(reader.get_tensor(key), value)


def saved(tmp_path, program):
    """A checkpoint of what `program` makes, and all of its names."""
    graph = tf.Graph()
    with graph.as_default():
        program(tf.compat.v1.placeholder(tf.float32, [None, 4]))
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            prefix = tf.compat.v1.train.Saver().save(session, str(tmp_path / "old.ckpt"))
        return prefix, [one.op.name for one in tf.compat.v1.global_variables()]


def labels(prefix):
    """The labels that lead to each variable, from the root on."""
    nodes = json.loads(run("graph", prefix, "--json"))
    edges = {
        edge["to"]: (edge["from"], edge["label"]) for edge in nodes["edges"] if edge["kind"] == "tree"
    }
    found = []
    for node in (one["id"] for one in nodes["nodes"] if one["values"]):
        way = []
        while node:
            node, label = edges[node]
            way.insert(0, label)
        found.append(way)
    return found


def test_scopes_that_take_numbers_and_names_with_dots(tmp_path):
    def program(x):
        with tf.compat.v1.variable_scope("net"):
            tf1_layers.dense(x, 4)
            with tf.compat.v1.variable_scope("dense_1"):
                tf1_layers.dense(x, 4)
            tf1_layers.dense(x, 4)
            with tf.compat.v1.variable_scope("dense_3"):
                tf1_layers.dense(x, 4)
            for name in ("conv.Stem", "a..b"):
                with tf.compat.v1.variable_scope(name):
                    tf.compat.v1.get_variable("w", [4])

    prefix, names = saved(tmp_path, program)
    output = tmp_path / "new" / "ckpt"
    output.parent.mkdir()
    convert(prefix, pasted(prefix, "keras2", output), output)
    wanted = [name.replace("net/", "model/").split("/") for name in names]
    assert sorted(way for way in labels(output) if way != ["save_counter"]) == sorted(wanted)


def test_what_is_left_to_a_rule(tmp_path):
    """Cells need more than a name, and some names are keys of a rule file."""

    def program(x):
        with tf.compat.v1.variable_scope("net"):
            tf1_layers.dense(x, 4)
            with tf.compat.v1.variable_scope("scope"):
                tf.compat.v1.get_variable("w", [4])
            with tf.compat.v1.variable_scope("rnn"):
                tf1_cells.BasicLSTMCell(4)(x, (x, x))

    prefix, names = saved(tmp_path, program)
    rules = pasted(prefix, "keras2", tmp_path / "ckpt")
    said = run("plan", prefix, "--map", rules, status=1)
    for name in names:
        left = f"`{name}`" in said and "is claimed by no rule" in said
        assert left == (not name.startswith("net/dense/")), said
    assert said.count("error:") == 3, said
