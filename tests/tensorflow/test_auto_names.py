"""`scopes:` counts as TF1 counted, for every kind of layer and every scope that disturbs it."""

import json
import os

import tensorflow as tf

from harness import (
    TESTDATA,
    Program,
    assert_bit_identical,
    convert_case,
    fill_with_noise,
    plant,
    restore,
    tf1_values,
)

CASE = "auto_names"
LEAVES = {
    "weights": "kernel",
    "biases": "bias",
    "depthwise_weights": "depthwise_kernel",
    "pointwise_weights": "pointwise_kernel",
}


def layer_paths() -> dict[str, list[str]]:
    """TF1 name → where the rules should have put it, from what TF1 created for each layer."""
    with open(TESTDATA / CASE / "created.json", encoding="utf-8") as created:
        layers = json.load(created)
    paths = {}
    for target, names in layers.items():
        layer = os.path.commonpath([os.path.dirname(name) for name in names])
        for name in names:
            *inner, leaf = os.path.relpath(name, layer).split("/")
            paths[name] = [*target.split("/"), *inner, LEAVES.get(leaf, leaf)]
    return paths


def test_every_layer_is_where_it_was_created(output):
    truth = tf1_values(CASE)
    variables = {name: tf.Variable(tf.zeros(value.shape)) for name, value in truth.items()}
    fill_with_noise(CASE, variables)
    net = tf.Module()
    for name, path in layer_paths().items():
        plant(net, path, variables[name])
    program = Program({"net": net}, lambda x: x, lambda: variables)
    restore(program, convert_case(CASE, "rules.yaml", output))
    assert_bit_identical(variables, truth)
