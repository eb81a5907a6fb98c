"""The kinds of Keras there are in the running environment, and what is left of TF1 in each."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Fused kernels round differently from those that computed the expected outputs.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import tensorflow as tf

VERSION = ".".join(tf.__version__.split(".")[:2])

if VERSION == "2.15":
    FLAVOURS = {"keras2": tf.keras}
    tf1_utils, tf1_layers = tf.compat.v1.keras.utils, tf.compat.v1.layers
    tf1_cells = tf.compat.v1.nn.rnn_cell
else:
    import keras
    import tf_keras
    from tf_keras.api._v1 import keras as tf1_keras

    FLAVOURS = {"keras2": tf_keras, "keras3": keras}
    # With Keras 3 in its place, `tf.compat.v1` has none of them; Keras 2 as a package still does.
    tf1_utils, tf1_layers = tf1_keras.utils, tf1_keras.__internal__.legacy.layers
    tf1_cells = tf1_keras.__internal__.legacy.rnn_cell
