"""What cannot be right is refused before anything is written, and the message names the thing."""

from collections.abc import Callable

from dialects import Dialect, each_dialect
from generate.keras_models import cnn, mlp
from optimizers import BY_FIXTURE
from training import Handover, Training


def program(dialect: Dialect, kind: str, build: Callable = mlp, **arguments) -> Training:
    optimizer = getattr(dialect.optimizers, kind)(**arguments)
    return Training.of(dialect, build(dialect.keras), optimizer)


def assert_names(said: str, *words: str) -> None:
    missing = [word for word in words if word not in said]
    assert not missing, f"nothing of {missing} in:\n{said}"


@each_dialect
def test_a_momentum_without_learning_rate(dialect, tmp_path):
    """A schedule in the old graph, a schedule in the new program, and the rules say nothing."""
    handover = Handover.of("momentum_schedule", tmp_path, "rules-unknown.yaml")
    handover.write_template(BY_FIXTURE["momentum_schedule"].training(dialect))
    assert_names(handover.refused(), "momentum", "learning_rate:", "rules-unknown.yaml")


@each_dialect
def test_one_optimizer_is_named_where_there_are_two(dialect, tmp_path):
    handover = Handover.of("two_adams", tmp_path, "rules-one.yaml")
    handover.write_template(program(dialect, "Adam"))
    assert_names(handover.refused(), "beta1_power", "beta1_power_1", "variables:")


@each_dialect
def test_momentum_slots_where_there_was_plain_gradient_descent(dialect, tmp_path):
    handover = Handover.of("gradient_descent", tmp_path)
    handover.write_template(program(dialect, "SGD", momentum=0.9))
    assert_names(handover.refused(), "momentum", "`optimizer`")


@each_dialect
def test_another_optimizer_than_there_was(dialect, tmp_path):
    handover = Handover.of("adam", tmp_path)
    handover.write_template(program(dialect, "Adagrad"))
    assert_names(handover.refused(), "same kind of optimizer")


@each_dialect
def test_a_template_of_another_model(dialect, tmp_path):
    handover = Handover.of("adam", tmp_path)
    handover.write_template(program(dialect, "Adam", cnn))
    assert_names(handover.refused(), "`hidden_1`", "`hidden_2`", "model/conv_1/")


@each_dialect
def test_a_template_without_optimizer(dialect, tmp_path):
    handover = Handover.of("adam", tmp_path)
    handover.write_template(Training(dialect, mlp(dialect.keras), {}))
    assert_names(handover.refused(), "optimizer", "rules.yaml")
