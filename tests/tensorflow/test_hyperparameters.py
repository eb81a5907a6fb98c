"""Whose hyper-parameters count: the template's, the rules', or those of the graph of TF1."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dialects import Dialect, each_dialect
from optimizers import BY_FIXTURE, Case
from training import Handover, Training, assert_complete, assert_same_losses, assert_values, restore

SPOILED = 0.5


def handover_with(optimizer: str, case: Case, folder: Path, graph: bool = True) -> Handover:
    """The case's rules with another `optimizer` key; if so wished, without its `.meta`."""
    rules = (case.handover(folder).rules).read_text()
    (folder / "rules.yaml").write_text(rules.split("optimizer:")[0] + f"optimizer: {optimizer}\n")
    handover = replace(case.handover(folder), rules=folder / "rules.yaml")
    if graph:
        return handover
    for part in ("index", "data-00000-of-00001"):
        shutil.copy(f"{handover.source}.{part}", folder / f"old.{part}")
    return replace(handover, source=folder / "old")


def converted(handover: Handover, case: Case, dialect: Dialect) -> tuple[Training, str]:
    """The template has another learning rate than TF1 had; what was restored, and said."""
    template, training = case.training(dialect), case.training(dialect)
    template.spoil_learning_rate(SPOILED)
    handover.write_template(template)
    said = handover.convert()
    restore(training, str(handover.new))
    return training, said


def rate(training: Training) -> float:
    return training.hyperparameters()["optimizer/learning_rate"]


@each_dialect
def test_the_template_s_stay_and_both_are_named(dialect, tmp_path):
    case = BY_FIXTURE["adam"]
    training, said = converted(handover_with("{to: optimizer}", case, tmp_path), case, dialect)
    assert rate(training) == SPOILED
    assert "0.5" in said
    assert "0.013" in said


@each_dialect
def test_those_of_the_graph_if_the_rules_say_so(dialect, tmp_path):
    case = BY_FIXTURE["adam"]
    handover = handover_with("{to: optimizer, hyperparameters: source}", case, tmp_path)
    training, _ = converted(handover, case, dialect)
    assert training.hyperparameters() == case.training(dialect).hyperparameters()
    assert_same_losses(training.losses(case.truth), case.truth)


@each_dialect
def test_those_of_the_rules_before_all_others(dialect, tmp_path):
    case = BY_FIXTURE["adam"]
    rules = "{to: optimizer, hyperparameters: source, learning_rate: 0.25}"
    training, _ = converted(handover_with(rules, case, tmp_path), case, dialect)
    assert rate(training) == 0.25


def velocity(training: Training, case: Case) -> np.ndarray:
    optimizer, _ = training.optimizers["optimizer"]
    kernel = case.weights(training.model)["model/dense/kernel"]
    return training.dialect.slot(optimizer, kernel, "momentum").numpy()


@each_dialect
@pytest.mark.parametrize(
    ("rules", "factor"),
    [
        ("{to: optimizer}", SPOILED),
        ("{to: optimizer, learning_rate: 0.25}", 0.25),
        ("{to: optimizer, hyperparameters: source}", 0.03),
    ],
    ids=["template", "rules", "graph"],
)
def test_momentum_goes_with_the_rate_that_is_written(rules, factor, dialect, tmp_path):
    case = BY_FIXTURE["momentum"]
    training, said = converted(handover_with(rules, case, tmp_path), case, dialect)
    assert rate(training) == np.float32(factor)
    accumulator = case.truth.variables["model/dense/kernel/Momentum"]
    np.testing.assert_allclose(velocity(training, case), -factor * accumulator, rtol=2e-7)
    if factor == SPOILED:
        # TF1's was another one, and its graph says so.
        assert "0.03" in said


WITHOUT_GRAPH = [
    ("adam", "{to: optimizer}"),
    ("adam_scoped", "{to: optimizer, scope: opt}"),
    ("adam_named", "{to: optimizer, name: trainer, kind: adam}"),
    ("adam_powers", "{to: optimizer, beta_1: 0.83, beta_2: 0.97}"),
    ("adam_powers", "{to: optimizer, iterations: 20}"),
    ("momentum", "{to: optimizer, learning_rate: 0.03}"),
    ("rmsprop_centered", "{to: optimizer}"),
    ("nadam", "{to: optimizer, kind: nadam, beta_1: 0.83, beta_2: 0.97}"),
    ("adamax", "{to: optimizer}"),
]


@each_dialect
@pytest.mark.parametrize(("fixture", "rules"), WITHOUT_GRAPH)
def test_the_rules_say_what_is_lost_with_the_graph(fixture, rules, dialect, tmp_path):
    case = BY_FIXTURE[fixture]
    handover = handover_with(rules, case, tmp_path, graph=False)
    training = handover.take_over(lambda: case.training(dialect))
    values = case.values(training)
    assert_values(values)
    assert_complete(training, values)
    assert_same_losses(training.losses(case.truth), case.truth, case.deviations.get(dialect.name))
