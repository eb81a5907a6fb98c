"""TF1 program → rules → TF2 program: restored without a gap, every bit, the same outputs."""

import pytest

import shim_programs  # noqa: F401  (registers its migrations)
from flavours import FLAVOURS
from harness import (
    assert_bit_identical,
    assert_continues,
    assert_same_outputs,
    convert_case,
    restore,
    tf1_run,
    tf1_values,
)
from programs import MIGRATIONS, conv3

each_migration = pytest.mark.parametrize("migration", MIGRATIONS, ids=str)


@each_migration
def test_goes_on_as_tf1_did(migration, output):
    prefix = convert_case(migration.case, migration.rules, output)
    assert_continues(migration.case, migration.program(), prefix)


@each_migration
def test_for_read_has_nothing_that_read_does_not_want(migration, output):
    prefix = convert_case(migration.case, migration.rules, output, "--for", "read")
    program = migration.program()
    program.build(migration.case, tf1_run(migration.case)[0])
    program.checkpoint().read(prefix).assert_consumed()
    assert_bit_identical(program.variables(), tf1_values(migration.case))


def test_a_wrong_mapping_is_noticed(output):
    """Two layers of equal shape, swapped: TensorFlow restores them gladly, the checks must not."""
    prefix = convert_case("conv3", "rules-swapped.yaml", output)
    program = conv3(FLAVOURS["keras2"])
    inputs, outputs = tf1_run("conv3")
    program.build("conv3", inputs)
    restore(program, prefix)
    with pytest.raises(AssertionError, match="outputs differ"):
        assert_same_outputs(program.call(inputs), outputs)
    with pytest.raises(AssertionError, match="not the values TF1 had"):
        assert_bit_identical(program.variables(), tf1_values("conv3"))
