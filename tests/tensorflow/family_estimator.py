"""Canned Estimators of TF1, and the Keras models that compute the same.

TensorFlow 2.15 is the last to have them. For the other one, their graphs are rebuilt; a test under
2.15 shows that the variables are the same ones.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from families import (
    KERAS,
    Source,
    Target,
    Values,
    family,
    misfit,
    random_ids,
    random_input,
    save,
    tf1,
)
from flavours import VERSION, tf1_layers

Pairs = list[tuple[Any, np.ndarray]]
EXAMPLES, CITIES, CLASSES = 5, 7, 3
# As text, `x10` comes before `x2`; as numbers, behind it.
NUMBERS = {name: random_input(f"column {name}", EXAMPLES, 1) for name in ("x2", "a", "x10")}
CITY = random_ids("cities", (EXAMPLES, 1), CITIES)
DIMENSIONS = 3
# As many units as inputs, so that all hidden layers have the same shape.
WIDTH = len(NUMBERS)
WIDE = len(NUMBERS) + DIMENSIONS
LAYERS = 2


def features() -> dict[str, Any]:
    return {name: tf.constant(value) for name, value in (NUMBERS | {"city": CITY}).items()}


def numeric_columns() -> list:
    return [tf1.feature_column.numeric_column(name) for name in NUMBERS]


def city_column() -> Any:
    return tf1.feature_column.categorical_column_with_identity("city", CITIES)


def city_embedding() -> Any:
    return tf1.feature_column.embedding_column(city_column(), DIMENSIONS)


def published(kind: str, columns: Callable[[], list], output: str, **options: Any) -> Any:
    """What an Estimator predicts."""
    estimator = getattr(tf1.estimator, kind)(feature_columns=columns(), model_dir="", **options)
    mode = tf1.estimator.ModeKeys.PREDICT
    made = estimator.model_fn(features(), None, mode, estimator.config)
    return made.predictions[output]


def rebuilt_dnn(outputs: int, width: int, normalized: bool, embedded: bool) -> Any:
    columns = features()
    with tf1.variable_scope("dnn"):
        if embedded:
            scope = "input_from_feature_columns/input_layer/city_embedding/"
            table = tf1.get_variable(f"{scope}embedding_weights", [CITIES, DIMENSIONS])
            columns["city_embedding"] = tf.gather(table, columns["city"][:, 0])
        del columns["city"]
        x = tf.concat([columns[name] for name in sorted(columns)], axis=1)
        for i in range(LAYERS):
            x = tf1_layers.dense(x, width, activation=tf.nn.relu, name=f"hiddenlayer_{i}")
            if normalized:
                x = tf1_layers.batch_normalization(x, name=f"hiddenlayer_{i}/batchnorm_{i}")
        return tf1_layers.dense(x, outputs, name="logits")


def rebuilt_linear(outputs: int, categorical: bool) -> Any:
    with tf1.variable_scope("linear/linear_model"):
        bias = tf1.get_variable("bias_weights", [outputs])
        weights = {name: tf1.get_variable(f"{name}/weights", [1, outputs]) for name in NUMBERS}
        found = [features()[name] @ weights[name] for name in NUMBERS]
        if categorical:
            table = tf1.get_variable("city/weights", [CITIES, outputs])
            found.append(tf.gather(table, CITY[:, 0]))
        return tf.add_n(found) + bias


def dnn_columns() -> list:
    return [*numeric_columns(), city_embedding()]


def linear_columns() -> list:
    return [*numeric_columns(), city_column()]


# By what TF1 called it: as it is published, and as it is rebuilt.
GRAPHS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "DNNClassifier": (
        partial(
            published,
            "DNNClassifier",
            dnn_columns,
            "logits",
            hidden_units=[WIDE] * LAYERS,
            n_classes=CLASSES,
            batch_norm=True,
        ),
        partial(rebuilt_dnn, CLASSES, WIDE, normalized=True, embedded=True),
    ),
    "DNNRegressor": (
        partial(
            published,
            "DNNRegressor",
            numeric_columns,
            "predictions",
            hidden_units=[WIDTH] * LAYERS,
        ),
        partial(rebuilt_dnn, 1, WIDTH, normalized=False, embedded=False),
    ),
    "LinearClassifier": (
        partial(published, "LinearClassifier", linear_columns, "logits", n_classes=CLASSES),
        partial(rebuilt_linear, CLASSES, categorical=True),
    ),
    "LinearRegressor": (
        partial(published, "LinearRegressor", numeric_columns, "predictions"),
        partial(rebuilt_linear, 1, categorical=False),
    ),
}


def graph(kind: str, rebuilt: bool = VERSION != "2.15") -> Any:
    outputs = GRAPHS[kind][rebuilt]()
    tf1.train.get_or_create_global_step()
    return outputs


def source(kind: str, folder: Path) -> Source:
    return save(partial(graph, kind), folder, kind)


def side_by_side(names: list[str]) -> np.ndarray:
    return np.concatenate([NUMBERS[name] for name in names], axis=1)


def pairs(layer: Any, *values: np.ndarray) -> Pairs:
    return list(zip(layer.weights, values, strict=True))


NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def dnn_classifier() -> Target:
    KERAS.backend.clear_session()
    layers = KERAS.layers
    city, first, last = KERAS.Input([1]), KERAS.Input([1]), KERAS.Input([2])
    embedding = layers.Embedding(CITIES, DIMENSIONS, name="city_embedding")
    # As text, the column `city_embedding` stands between `a` and `x10`.
    x = layers.Concatenate()([first, layers.Flatten()(embedding(city)), last])
    hidden = [layers.Dense(WIDE, activation="relu") for _ in range(LAYERS)]
    norms = [layers.BatchNormalization() for _ in range(LAYERS)]
    for dense, norm in zip(hidden, norms, strict=True):
        x = norm(dense(x))
    logits = layers.Dense(CLASSES)
    model = KERAS.Model([city, first, last], logits(x))
    inputs = [CITY, NUMBERS["a"], side_by_side(["x10", "x2"])]

    def values(stored: Values) -> Pairs:
        table = "dnn/input_from_feature_columns/input_layer/city_embedding/embedding_weights"
        found = pairs(embedding, stored[table])
        for i, (dense, norm) in enumerate(zip(hidden, norms, strict=True)):
            scope = f"dnn/hiddenlayer_{i}"
            found += pairs(dense, stored[f"{scope}/kernel"], stored[f"{scope}/bias"])
            found += pairs(norm, *(stored[f"{scope}/batchnorm_{i}/{name}"] for name in NORM))
        return found + pairs(logits, stored["dnn/logits/kernel"], stored["dnn/logits/bias"])

    return Target({"model": model}, partial(model, inputs, training=False), values)


def dnn_regressor() -> Target:
    """By the Estimator's names."""
    layers = KERAS.layers
    names = [f"hiddenlayer_{i}" for i in range(LAYERS)]
    hidden = [layers.Dense(WIDTH, "relu", name=name) for name in names]
    model = KERAS.Sequential([KERAS.Input([WIDTH]), *hidden, layers.Dense(1, name="logits")])

    def values(stored: Values) -> Pairs:
        scopes = [f"dnn/{name}" for name in (*names, "logits")]
        return [
            pair
            for layer, scope in zip(model.layers, scopes, strict=True)
            for pair in pairs(layer, stored[f"{scope}/kernel"], stored[f"{scope}/bias"])
        ]

    inputs = side_by_side(["a", "x10", "x2"])
    return Target({"model": model}, partial(model, inputs), values)


def linear_target(columns: dict[str, np.ndarray], outputs: int, **options: Any) -> Target:
    """`columns` in the order the layer sees them."""
    KERAS.backend.clear_session()
    inputs = np.concatenate(list(columns.values()), axis=1)
    dense = KERAS.layers.Dense(outputs, **options)
    model = KERAS.Sequential([KERAS.Input(inputs.shape[1:]), dense])

    def values(stored: Values) -> Pairs:
        weights = [stored[f"linear/linear_model/{name}/weights"] for name in columns]
        return pairs(dense, np.concatenate(weights), stored["linear/linear_model/bias_weights"])

    return Target({"model": model}, partial(model, inputs), values)


def linear_classifier() -> Target:
    cities = np.eye(CITIES, dtype=np.float32)[CITY[:, 0]]
    columns = {"a": NUMBERS["a"], "city": cities, "x2": NUMBERS["x2"], "x10": NUMBERS["x10"]}
    return linear_target(columns, CLASSES)


def linear_regressor() -> Target:
    return linear_target({name: NUMBERS[name] for name in ("a", "x2", "x10")}, 1, name="line")


TWO_LAYERS, TWO_COLUMNS = ("/hiddenlayer_0/", "/hiddenlayer_1/"), ("/x2/", "/x10/")
family(
    mapping="estimator-dnn-keras",
    target="DNNClassifier, batch normalization",
    source=partial(source, "DNNClassifier"),
    build=dnn_classifier,
    swap=TWO_LAYERS,
)
DNN = family(
    mapping="estimator-dnn-keras",
    target="DNNRegressor",
    source=partial(source, "DNNRegressor"),
    build=dnn_regressor,
    swap=TWO_LAYERS,
)
family(
    mapping="estimator-linear-keras",
    target="LinearClassifier",
    source=partial(source, "LinearClassifier"),
    build=linear_classifier,
    swap=TWO_COLUMNS,
)
LINEAR = family(
    mapping="estimator-linear-keras",
    target="LinearRegressor",
    source=partial(source, "LinearRegressor"),
    build=linear_regressor,
    swap=TWO_COLUMNS,
    flags=("--set", "linear=line"),
)

misfit(DNN, "this is no DNNClassifier, DNNRegressor or DNNLinearCombined", source=LINEAR)
misfit(LINEAR, "this is no LinearClassifier, LinearRegressor or DNNLinearCombined", source=DNN)
