"""The models of the migration stories: what people have, in the styles they wrote it."""

import tensorflow as tf

from generate.tf1 import tf1, tf1_model


@tf1_model("conv3", inputs=(2, 6, 6, 3))
def conv3(x):
    with tf1.variable_scope("model"):
        for _ in range(3):
            x = tf1.layers.conv2d(x, 3, 3, padding="same", activation=tf.tanh)
    return x


@tf1_model("conv_bn_dense", inputs=(2, 6, 6, 3))
def conv_bn_dense(x):
    with tf1.variable_scope("model"):
        for _ in range(2):
            x = tf1.layers.conv2d(x, 3, 3, padding="same", activation=tf.tanh)
            x = tf1.layers.batch_normalization(x, training=False)
        x = tf1.layers.conv2d(x, 3, 3, padding="same", activation=tf.tanh)
        x = tf1.layers.flatten(x)
        x = tf1.layers.dense(x, 5, activation=tf.tanh)
        return tf1.layers.dense(x, 5)


@tf1_model("get_variable", inputs=(3, 4))
def get_variable(x):
    with tf1.variable_scope("hidden"):
        w = tf1.get_variable("w", [4, 5])
        b = tf1.get_variable("b", [5])
    return tf.tanh(x @ w + b)


@tf1_model("linear_regression", inputs=(7,))
def linear_regression(x):
    slope = tf1.Variable(0.0)
    intercept = tf1.Variable(0.0)
    return slope * x + intercept


class ScaledDense(tf1.layers.Layer):
    """A layer of one's own with a variable and a layer inside."""

    def build(self, _):
        self.scale = self.add_weight(name="scale", shape=[5])
        self.dense = tf1.layers.Dense(5, activation=tf.tanh)
        super().build(_)

    def call(self, x):
        return self.scale * self.dense(x)


@tf1_model("custom_layer", inputs=(3, 4))
def custom_layer(x):
    return ScaledDense()(ScaledDense()(x))


@tf1_model("make_template", inputs=(3, 4))
def make_template(x):
    def residual(x):
        return x + tf1.layers.dense(tf1.layers.dense(x, 4, activation=tf.tanh), 4)

    block = tf1.make_template("block", residual)
    with tf1.variable_scope("net"):
        return block(block(x))


@tf1_model("nested_keras", inputs=(3, 4))
def nested_keras(x):
    with tf1.variable_scope("net"):
        inner_input = tf.keras.Input((4,))
        hidden = tf.keras.layers.Dense(4, activation="tanh", name="hidden")(inner_input)
        inner = tf.keras.Model(inner_input, tf.keras.layers.Dense(4, name="out")(hidden))
        return tf1.layers.dense(inner(x), 2)


@tf1_model("nested_modules", inputs=(3, 4))
def nested_modules(x):
    with tf1.variable_scope("outer"):
        x = tf1.layers.dense(x, 4, activation=tf.tanh, name="inner_dense")
        x = tf1.layers.dense(x, 4, activation=tf.tanh)
        return tf1.layers.dense(x, 4)


@tf1_model("guide", inputs=(2, 6, 6, 3))
def guide(x):
    """After TensorFlow's model mapping guide, with every kind twice so that numbers matter."""
    with tf1.variable_scope("model"):
        x = tf1.layers.conv2d(x, 3, 3, padding="same", activation=tf.tanh)
        x = tf1.layers.conv2d(x, 3, 3, padding="same", activation=tf.tanh)
        x = tf1.layers.flatten(x)
        x = tf1.layers.dropout(x, training=False)
        x = tf1.layers.dense(x, 5, activation=tf.tanh)
        return tf1.layers.dense(x, 5)
