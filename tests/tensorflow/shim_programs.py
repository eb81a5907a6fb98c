"""Migrations on the way: TF1 code kept alive in Keras by `track_tf1_style_variables`."""

import tensorflow as tf

from flavours import tf1_layers, tf1_utils
from harness import Program, leaves
from programs import CONV, migration, model

tf1 = tf.compat.v1


def store(layer) -> dict[str, tf.Variable]:
    """What the shim tracks under TF1 names."""
    return dict(layer._tf1_style_var_store._vars)


def record_scope(name: str) -> None:
    """Takes the next number of `name`, as the layer did that is not a TF1 layer any more."""
    with tf1.variable_scope(None, default_name=name):
        pass


def shim(keras, body, **attributes):
    """A Keras layer whose `call` is `body(layer, x)`, run in the world of TF1 variables."""

    class Shim(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            for name, value in attributes.items():
                setattr(self, name, value)

        @tf1_utils.track_tf1_style_variables
        def call(self, x):
            return body(self, x)

    return Shim()


@migration("make_template", rules="rules-shim.yaml", flavours=("keras2",))
def template(keras) -> Program:
    def residual(x):
        return x + tf1_layers.dense(tf1_layers.dense(x, 4, activation=tf.tanh), 4)

    def body(layer, x):
        with tf1.variable_scope("net"):
            return layer.block(layer.block(x))

    # Made once: inside `call`, every call would open another block.
    net = shim(keras, body, block=tf1.make_template("block", residual))
    return model(net, lambda: store(net))


@migration("nested_keras", rules="rules-shim.yaml", flavours=("keras2",))
def nested_keras(keras) -> Program:
    def inner():
        entry = keras.Input((4,))
        hidden = keras.layers.Dense(4, activation="tanh", name="hidden")
        return keras.Model(entry, keras.layers.Dense(4, name="out")(hidden(entry)))

    def body(_, x):
        with tf1.variable_scope("net"):
            x = tf1_utils.get_or_create_layer("inner", inner)(x)
            return tf1_layers.dense(x, 2)

    net = shim(keras, body)

    def variables():
        inner = net._tf1_style_var_store._layers["net/inner"]
        hidden, out = inner.get_layer("hidden"), inner.get_layer("out")
        return store(net) | leaves("net/hidden", hidden) | leaves("net/out", out)

    return model(net, variables)


@migration("guide", rules="rules-step1.yaml", flavours=("keras2",))
def guide_step1(keras) -> Program:
    """The TF1 program as it was, below a decorator."""

    def body(_, x):
        with tf1.variable_scope("model"):
            x = tf1_layers.conv2d(x, 3, 3, padding="same", activation=tf.tanh)
            x = tf1_layers.conv2d(x, 3, 3, padding="same", activation=tf.tanh)
            x = tf1_layers.flatten(x)
            x = tf1_layers.dropout(x, training=False)
            x = tf1_layers.dense(x, 5, activation=tf.tanh)
            return tf1_layers.dense(x, 5)

    net = shim(keras, body)
    return model(net, lambda: store(net))


@migration("guide", rules="rules-step2.yaml", flavours=("keras2",))
def guide_step2(keras) -> Program:
    """TF1 layer objects, held as attributes and still called in TF1 scopes."""

    def body(layer, x):
        with tf1.variable_scope("model"):
            x = layer.conv_2(layer.conv_1(x))
            x = tf1_layers.dropout(tf1_layers.flatten(x), training=False)
            return layer.head(layer.hidden(x))

    net = shim(
        keras,
        body,
        conv_1=tf1_layers.Conv2D(**CONV),
        conv_2=tf1_layers.Conv2D(**CONV),
        hidden=tf1_layers.Dense(5, activation=tf.tanh),
        head=tf1_layers.Dense(5),
    )
    return model(
        net,
        lambda: (
            leaves("model/conv2d", net.conv_1)
            | leaves("model/conv2d_1", net.conv_2)
            | leaves("model/dense", net.hidden)
            | leaves("model/dense_1", net.head)
        ),
    )


@migration("guide", rules="rules-step3.yaml", flavours=("keras2",))
def guide_step3(keras) -> Program:
    """One layer of each kind is native already; its number is recorded for those that follow."""

    def body(layer, x):
        with tf1.variable_scope("model"):
            x = layer.conv_1(x)
            record_scope("conv2d")
            x = tf1_layers.conv2d(x, 3, 3, padding="same", activation=tf.tanh)
            x = tf1_layers.dropout(tf1_layers.flatten(x), training=False)
            x = layer.hidden(x)
            record_scope("dense")
            return tf1_layers.dense(x, 5)

    native = keras.layers
    net = shim(keras, body, conv_1=native.Conv2D(**CONV), hidden=native.Dense(5, activation="tanh"))
    return model(
        net,
        lambda: leaves("model/conv2d", net.conv_1) | leaves("model/dense", net.hidden) | store(net),
    )
