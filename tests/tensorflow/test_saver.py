"""TF1 programs that have not moved yet read the converted file as well, or are told that not."""

import numpy as np
import pytest
import tensorflow as tf

from flavours import FLAVOURS
from harness import assert_continues, convert_case, tf1_values
from programs import conv3

tf1 = tf.compat.v1


def variables_of(values: dict[str, np.ndarray]) -> dict[str, tf.Variable]:
    return {name: tf1.get_variable(name, value.shape) for name, value in values.items()}


def restored_by_saver(prefix: str, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    with tf.Graph().as_default(), tf1.Session() as session:
        variables = variables_of(values)
        tf1.train.Saver(variables).restore(session, prefix)
        return session.run(variables)


def initialised_from(prefix: str, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    with tf.Graph().as_default(), tf1.Session() as session:
        variables = variables_of(values)
        tf1.train.init_from_checkpoint(prefix, {name: name for name in variables})
        session.run(tf1.global_variables_initializer())
        return session.run(variables)


def assert_equal(read: dict[str, np.ndarray], values: dict[str, np.ndarray]) -> None:
    assert [n for n in values if read[n].tobytes() != values[n].tobytes()] == []


@pytest.mark.parametrize(
    ("case", "rules"),
    [
        ("conv3", "rules-keras2.yaml"),
        ("conv_bn_dense", "rules-keras3.yaml"),
        ("auto_names", "rules.yaml"),
    ],
)
def test_saver_finds_every_variable_by_its_tf1_name(case, rules, output):
    values = tf1_values(case)
    prefix = convert_case(case, rules, output)
    assert_equal(restored_by_saver(prefix, values), values)


def test_keep_names_serves_everybody_from_one_file(output):
    values = tf1_values("conv3")
    prefix = convert_case("conv3", "rules-keras2.yaml", output, "--keep-names")
    assert set(values) <= set(tf.train.load_checkpoint(prefix).get_variable_to_shape_map())
    assert_equal(initialised_from(prefix, values), values)
    assert_equal(restored_by_saver(prefix, values), values)
    assert_continues("conv3", conv3(FLAVOURS["keras2"]), prefix)


@pytest.mark.parametrize("flags", [(), ("--keep-names",)])
def test_a_transformed_variable_is_not_found_rather_than_wrong(flags, output):
    values = tf1_values("get_variable")
    prefix = convert_case("get_variable", "rules-transposed.yaml", output, *flags)
    reader = tf.train.load_checkpoint(prefix)
    stored = reader.get_tensor("model/hidden/w/.ATTRIBUTES/VARIABLE_VALUE")
    np.testing.assert_array_equal(stored, values["hidden/w"].T)
    untouched = {"hidden/b": values["hidden/b"]}
    assert_equal(restored_by_saver(prefix, untouched), untouched)
    for like in (values["hidden/w"], stored):
        with pytest.raises(tf.errors.NotFoundError):
            restored_by_saver(prefix, {"hidden/w": like})
