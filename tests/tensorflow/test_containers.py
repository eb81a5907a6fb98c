"""Every type and every layout: TensorFlow reads from the new checkpoint what was in the old."""

import json

import numpy as np
import pytest
import tensorflow as tf

from generate.manifest import element_bytes
from harness import TESTDATA, convert_case, tf1_values

SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def hexadecimal(value, dtype: tf.DType):
    if dtype == tf.string:
        elements = [value] if isinstance(value, bytes) else np.ravel(value)
        return [element.hex() for element in elements]
    return element_bytes(value, dtype).hex()


@pytest.mark.parametrize(
    "case",
    ["dtypes_tf215", pytest.param("dtypes_tf221", marks=pytest.mark.only("2.21"))],
)
def test_every_dtype(case, output, announce):
    with open(TESTDATA / case / "expected.json", encoding="utf-8") as file:
        values = json.load(file)
    old = tf.train.load_checkpoint(str(TESTDATA / case / "model.ckpt"))
    new = tf.train.load_checkpoint(convert_case(case, "rules.yaml", output))
    dtypes, shapes = new.get_variable_to_dtype_map(), new.get_variable_to_shape_map()
    for name, value in values.items():
        key = f"values/{name}{SUFFIX}"
        assert dtypes[key] == old.get_variable_to_dtype_map()[name], name
        assert shapes[key] == old.get_variable_to_shape_map()[name], name
        assert hexadecimal(new.get_tensor(key), tf.dtypes.as_dtype(dtypes[key])) == value, name
    announce(f"{case}: {len(values)} tensors of {len(set(dtypes.values()))} types")


def test_several_shards(output):
    values = tf1_values("sharded")
    parts = {name: tf.Variable(value + 1) for name, value in values.items()}
    model = tf.Module()
    for name, variable in parts.items():
        setattr(model, name.removeprefix("model/"), variable)
    status = tf.train.Checkpoint(model=model).restore(convert_case("sharded", "rules.yaml", output))
    status.assert_consumed()
    for name, value in values.items():
        np.testing.assert_array_equal(parts[name], value)


def test_many_index_blocks(output):
    old = tf.train.load_checkpoint(str(TESTDATA / "many_blocks" / "model.ckpt"))
    new = tf.train.load_checkpoint(convert_case("many_blocks", "rules.yaml", output))
    names = old.get_variable_to_shape_map()
    assert len(names) == 5000
    for name in names:
        number = name.split("/")[1].removeprefix("layer_")
        assert new.get_tensor(f"layers/{number}/kernel{SUFFIX}") == old.get_tensor(name)
