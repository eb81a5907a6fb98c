"""The TF2 side of every migration: native Keras models, as people write them."""

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from flavours import FLAVOURS
from harness import Program, leaves

NORM = ("gamma", "beta", "moving_mean", "moving_variance")
CONV = {"filters": 3, "kernel_size": 3, "padding": "same", "activation": "tanh"}


@dataclass(frozen=True)
class Migration:
    case: str
    rules: str
    flavour: str
    program: Callable[[], Program]

    def __str__(self) -> str:
        return f"{self.case}/{self.rules.removesuffix('.yaml')}-{self.flavour}"


MIGRATIONS: list[Migration] = []


def migration(case: str, rules: str = "rules-{}.yaml", flavours: tuple[str, ...] = tuple(FLAVOURS)):
    """Registers `program(keras)` for each flavour of Keras that is installed."""

    def register(program: Callable) -> Callable:
        for name in flavours:
            keras = FLAVOURS[name]
            build = lambda keras=keras: program(keras)  # noqa: E731
            MIGRATIONS.append(Migration(case, rules.format(name), name, build))
        return program

    return register


def chain(keras, **layers):
    """A model with these attributes, called one after the other."""

    class Chain(keras.Model):
        def __init__(self):
            super().__init__()
            for name, layer in layers.items():
                setattr(self, name, layer)

        def call(self, x):
            for name in layers:
                x = getattr(self, name)(x)
            return x

    return Chain()


def model(net, variables: Callable[[], dict[str, tf.Variable]]) -> Program:
    return Program({"model": net}, lambda x: net(tf.constant(x)).numpy(), variables)


@migration("conv3")
def conv3(keras) -> Program:
    conv = keras.layers.Conv2D
    net = chain(keras, conv_1=conv(**CONV), conv_2=conv(**CONV), conv_3=conv(**CONV))
    return model(
        net,
        lambda: (
            leaves("model/conv2d", net.conv_1)
            | leaves("model/conv2d_1", net.conv_2)
            | leaves("model/conv2d_2", net.conv_3)
        ),
    )


# What TF1 called the layers of the fixture, and whether they have statistics.
CNN = {
    "conv2d": (), "batch_normalization": NORM, "conv2d_1": (), "batch_normalization_1": NORM,
    "conv2d_2": (), "dense": (), "dense_1": (),
}


def cnn(keras, attributes: tuple[str, ...]) -> Program:
    """The model of `conv_bn_dense` with its layers under these attributes."""
    kl = keras.layers
    layers = [
        kl.Conv2D(**CONV), kl.BatchNormalization(), kl.Conv2D(**CONV), kl.BatchNormalization(),
        kl.Conv2D(**CONV), kl.Dense(5, activation="tanh"), kl.Dense(5),
    ]
    named = dict(zip(attributes, layers, strict=True))
    *before, hidden, head = attributes
    parts = {name: named[name] for name in before} | {"flatten": kl.Flatten()}
    net = chain(keras, **parts, **{name: named[name] for name in (hidden, head)})

    def variables() -> dict[str, tf.Variable]:
        all_leaves: dict[str, tf.Variable] = {}
        for (scope, names), layer in zip(CNN.items(), layers, strict=True):
            all_leaves |= leaves(f"model/{scope}", layer, *names)
        return all_leaves

    return model(net, variables)


@migration("conv_bn_dense")
def conv_bn_dense(keras) -> Program:
    return cnn(keras, ("conv_1", "norm_1", "conv_2", "norm_2", "conv_3", "hidden", "head"))


@migration("get_variable", rules="rules.yaml")
def get_variable(keras) -> Program:
    class Hidden(keras.layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(name="w", shape=(input_shape[-1], 5))
            self.b = self.add_weight(name="b", shape=(5,))

        def call(self, x):
            return tf.tanh(tf.matmul(x, self.w) + self.b)

    net = chain(keras, hidden=Hidden())
    return model(net, lambda: leaves("hidden", net.hidden, "w", "b"))


@migration("linear_regression", rules="rules.yaml", flavours=("keras2",))
def linear_regression(_) -> Program:
    """No Keras at all: two variables, named by the keywords of `Checkpoint`."""
    w, b = tf.Variable(0.0), tf.Variable(0.0)
    return Program(
        {"W": w, "b": b}, lambda x: (w * x + b).numpy(), lambda: {"Variable": w, "Variable_1": b}
    )


@migration("custom_layer")
def custom_layer(keras) -> Program:
    class ScaledDense(keras.layers.Layer):
        def build(self, _):
            self.scale = self.add_weight(name="scale", shape=(5,))
            self.dense = keras.layers.Dense(5, activation="tanh")

        def call(self, x):
            return self.scale * self.dense(x)

    net = chain(keras, first=ScaledDense(), second=ScaledDense())
    return model(
        net,
        lambda: (
            leaves("scaled_dense", net.first, "scale")
            | leaves("scaled_dense/dense", net.first.dense)
            | leaves("scaled_dense_1", net.second, "scale")
            | leaves("scaled_dense_1/dense", net.second.dense)
        ),
    )


@migration("make_template")
def make_template(keras) -> Program:
    class Residual(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.expand = keras.layers.Dense(4, activation="tanh")
            self.project = keras.layers.Dense(4)

        def call(self, x):
            return x + self.project(self.expand(x))

    class Twice(keras.Model):
        def __init__(self):
            super().__init__()
            self.block = Residual()

        def call(self, x):
            return self.block(self.block(x))

    net = Twice()
    return model(
        net,
        lambda: (
            leaves("net/block/dense", net.block.expand)
            | leaves("net/block/dense_1", net.block.project)
        ),
    )


@migration("nested_keras")
def nested_keras(keras) -> Program:
    hidden, out = keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(4)
    entry = keras.Input((4,))
    net = chain(keras, inner=keras.Model(entry, out(hidden(entry))), head=keras.layers.Dense(2))
    return model(
        net,
        lambda: (
            leaves("net/hidden", hidden) | leaves("net/out", out) | leaves("net/dense", net.head)
        ),
    )


@migration("nested_modules")
def nested_modules(keras) -> Program:
    def dense():
        return keras.layers.Dense(4, activation="tanh")

    outer = chain(
        keras,
        inner=chain(keras, dense=dense()),
        dense_1=dense(),
        dense_2=keras.layers.Dense(4),
    )
    net = chain(keras, outer=outer)
    return model(
        net,
        lambda: (
            leaves("outer/inner_dense", outer.inner.dense)
            | leaves("outer/dense", outer.dense_1)
            | leaves("outer/dense_1", outer.dense_2)
        ),
    )


@migration("guide", rules="rules-step4-{}.yaml")
def guide_step4(keras) -> Program:
    """The last step of the guide: no trace of TF1 left."""
    kl = keras.layers
    net = chain(
        keras,
        conv_1=kl.Conv2D(**CONV),
        conv_2=kl.Conv2D(**CONV),
        flatten=kl.Flatten(),
        dropout=kl.Dropout(0.5),
        hidden=kl.Dense(5, activation="tanh"),
        head=kl.Dense(5),
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
