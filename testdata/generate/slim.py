"""tf_slim; it looks for a module of Keras where older packages had it."""

import sys

import tf_keras.src.legacy_tf_layers

sys.modules.setdefault("tf_keras.legacy_tf_layers", tf_keras.src.legacy_tf_layers)

import tf_slim as slim  # noqa: E402

__all__ = ["slim"]
