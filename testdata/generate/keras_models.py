"""The models that follow the TF1 programs of `optimizers.py`, for whichever Keras is handed in.

Here rather than with the tests: the stored templates are made of them too.
"""

import numpy as np

INPUTS, HIDDEN, OUTPUTS = 5, 5, 2
IMAGE = (4, 4, 3)
# As many units as inputs, so that two layers in a row have the same shape.
UNITS = 3
SEQUENCE = (5, UNITS)


def is_keras3(keras) -> bool:
    return hasattr(keras, "ops")


def dense_layers(keras, names=("hidden_1", "hidden_2", "head")):
    """Two of them have the same shape, so that they can be mistaken for one another."""
    dense = keras.layers.Dense
    return [
        dense(HIDDEN, activation="tanh", name=names[0]),
        dense(HIDDEN, activation="tanh", name=names[1]),
        dense(OUTPUTS, name=names[2]),
    ]


def in_turn(layers, x):
    for layer in layers:
        x = layer(x)
    return x


def mlp(keras):
    class Mlp(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden_1, self.hidden_2, self.head = dense_layers(keras)

        def call(self, x):
            return in_turn([self.hidden_1, self.hidden_2, self.head], x)

    return built(Mlp(), (INPUTS,))


def functional(keras, **options):
    x = keras.Input((INPUTS,), name="x")
    return keras.Model(x, in_turn(dense_layers(keras, **options), x))


def sequential(keras):
    return keras.Sequential([keras.Input((INPUTS,)), *dense_layers(keras)])


def listed(keras, **options):
    """A subclassed model with a list; Keras 3 tracks nothing in lists, but in tuples it does."""

    class Listed(keras.Model):
        def __init__(self):
            super().__init__()
            layers = dense_layers(keras, **options)
            self.blocks = tuple(layers) if is_keras3(keras) else layers

        def call(self, x):
            return in_turn(self.blocks, x)

    return built(Listed(), (INPUTS,))


def cnn(keras):
    """Its attributes appear in another order than TF1's layers did."""

    class Cnn(keras.Model):
        def __init__(self):
            super().__init__()
            conv, norm = keras.layers.Conv2D, keras.layers.BatchNormalization
            self.head = keras.layers.Dense(OUTPUTS)
            self.norm_2 = norm(momentum=0.9)
            self.conv_2 = conv(3, 3, padding="same")
            self.norm_1 = norm(momentum=0.9)
            self.conv_1 = conv(3, 3, padding="same")
            self.pool = keras.layers.GlobalAveragePooling2D()
            self.tanh = keras.layers.Activation("tanh")

        def call(self, x, training=False):
            x = self.tanh(self.norm_1(self.conv_1(x), training=training))
            x = self.tanh(self.norm_2(self.conv_2(x), training=training))
            return self.head(self.pool(x))

    return built(Cnn(), IMAGE)


def recurrent(keras):
    """Two layers and one of both directions."""

    class Recurrent(keras.Model):
        def __init__(self):
            super().__init__()
            lstm = keras.layers.LSTM
            self.lower = lstm(UNITS, return_sequences=True)
            self.upper = lstm(UNITS, return_sequences=True)
            self.both = keras.layers.Bidirectional(lstm(UNITS, return_sequences=True))

        def call(self, x):
            return in_turn([self.lower, self.upper, self.both], x)

    return built(Recurrent(), SEQUENCE)


def recurrent_head(keras, layers):
    """Layers that see a sequence, and a head that sees what is left at its end."""

    class RecurrentHead(keras.Model):
        def __init__(self):
            super().__init__()
            self.lower, self.upper = layers
            self.head = keras.layers.Dense(OUTPUTS)

        def call(self, x, training=False):
            return in_turn([self.lower, self.upper, self.head], x)

    return built(RecurrentHead(), SEQUENCE)


def lstm(keras):
    layer = keras.layers.LSTM
    return recurrent_head(keras, [layer(UNITS, return_sequences=True), layer(UNITS)])


def gru(keras):
    """As TF1 has it, which is not Keras's default."""
    layer, options = keras.layers.GRU, {"reset_after": False}
    lower = layer(UNITS, return_sequences=True, **options)
    return recurrent_head(keras, [lower, layer(UNITS, **options)])


def built(model, shape):
    """A subclassed model has no variables before it has seen an input."""
    model(np.zeros((1, *shape), np.float32))
    return model
