"""The tools that judge: `verify` replays a conversion, `diff` compares two checkpoints."""

import re
from dataclasses import replace

import pytest

from dialects import each_dialect
from harness import run
from optimizers import BY_FIXTURE
from training import Handover

SOME = ["adam", "momentum", "rmsprop_centered", "nadam", "cnn_adam"]


def converted(fixture: str, dialect, folder, rules: str = "rules.yaml") -> Handover:
    handover = Handover.of(fixture, folder, rules)
    handover.write_template(BY_FIXTURE[fixture].training(dialect))
    handover.convert()
    return handover


def verify(handover: Handover, rules=None, status: int = 0) -> str:
    arguments = ("--map", rules or handover.rules, "--like", handover.fresh)
    return run("verify", handover.new, "--against", handover.source, *arguments, status=status)


@each_dialect
@pytest.mark.parametrize("fixture", SOME)
def test_a_conversion_is_what_its_rules_say(fixture, dialect, tmp_path):
    verify(converted(fixture, dialect, tmp_path))


@each_dialect
def test_other_rules_are_noticed(dialect, tmp_path):
    handover = converted("adam", dialect, tmp_path)
    rules = handover.rules.with_name("rules-swapped.yaml")
    said = verify(handover, rules, status=1)
    # Keras 3 calls its kernels `_kernel`.
    assert re.search("hidden_1/_?kernel", said) and re.search("hidden_2/_?kernel", said)


@each_dialect
def test_training_on_is_noticed(dialect, tmp_path):
    case, handover = BY_FIXTURE["adam"], Handover.of("adam", tmp_path)
    training = handover.take_over(lambda: case.training(dialect))
    training.loss(case.truth.inputs[0], case.truth.targets[0])
    later = training.checkpoint().write(str(tmp_path / "later"))
    said = verify(replace(handover, new=later), status=1)
    assert re.search("hidden_1/_?kernel", said)


@each_dialect
def test_diff_of_equals(dialect, tmp_path):
    handover = converted("adam", dialect, tmp_path)
    run("diff", handover.new, handover.new)
    run("diff", handover.source, handover.source)


@each_dialect
def test_diff_names_what_differs(dialect, tmp_path):
    handover = converted("adam", dialect, tmp_path)
    said = run("diff", handover.fresh, handover.new, status=1)
    assert "hidden_1" in said and "save_counter" in said
