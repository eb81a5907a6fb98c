"""What `scopes` prints is a part of a rule file as it is: pasted unchanged, it converts."""

import numpy as np
import pytest
import tensorflow as tf

from flavours import FLAVOURS, tf1_layers
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
