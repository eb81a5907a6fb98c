"""What people do with BERT: they stop training, and they go on with another head."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import bert_graphs
import family_bert
from families import Family, Source, Target, noise, relative_difference, rules_of, save, tf1
from harness import run

FAMILIES = [
    one
    for one in (family_bert.BERT_HF, family_bert.BERT_MODEL_GARDEN, family_bert.BERT_KERAS_HUB)
    if one.belongs_here()
]


def in_training() -> list[tf.Tensor]:
    """BERT's own optimizer has variables for slots, and calls them so."""
    outputs = bert_graphs.rebuilt_bert()
    for variable in tf1.trainable_variables():
        for slot in ("adam_m", "adam_v"):
            tf1.get_variable(f"{variable.op.name}/{slot}", variable.shape, trainable=False)
    return [outputs["sequence"], outputs["pooled"]]


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Source:
    return save(in_training, tmp_path_factory.mktemp("source"), "in training")


def template_of(target: Target, folder: Path) -> str:
    target.call()
    noise(target.objects["model"].weights, "template")
    return tf.train.Checkpoint(**target.objects).save(str(folder / "fresh"))


def own_rules(family: Family, folder: Path, more: str) -> Path:
    """What a user writes who needs more than the built-in mapping."""
    _, included = rules_of(family.mapping, folder)
    rules = folder / "own.yaml"
    rules.write_text(f"version: 1\ninclude: [{included}]\n{more}\n")
    return rules


def restore(target: Target, prefix: Path) -> None:
    status = tf.train.Checkpoint(**target.objects).restore(str(prefix))
    status.assert_consumed()


def assert_values(expected: list) -> None:
    assert all(np.array_equal(variable.numpy(), value) for variable, value in expected)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_the_user_decides_about_the_optimizer(family, source, tmp_path):
    target, new = family.build(), tmp_path / "new"
    template = template_of(target, tmp_path)
    convert = "convert", source.prefix, "--like", template, "-o", new, "--map"
    assert "optimizer: drop" in run(*convert, rules_of(family.mapping, tmp_path)[0], status=1)

    run(*convert, own_rules(family, tmp_path, "optimizer: drop"))
    restore(target, new)
    assert_values(target.variables(source.values))
    assert relative_difference(target.call(), source.outputs) <= 1e-4


@pytest.mark.only("2.15")
def test_a_head_that_is_yet_to_be_trained(tmp_path):
    """Nothing is random in silence: the user says that the head begins with the template's."""
    family = family_bert.BERT_HF
    old, new = family.source(tmp_path), tmp_path / "new"
    target = family_bert.hugging_face_bert(
        "TFBertForSequenceClassification", family_bert.logits, labels=bert_graphs.LABELS
    )
    template = template_of(target, tmp_path)
    head = [variable.numpy() for variable in target.objects["model"].classifier.weights]
    convert = "convert", old.prefix, "--like", template, "-o", new, "--map"
    said = run(*convert, rules_of(family.mapping, tmp_path)[0], status=1)
    assert "classifier/kernel" in said
    assert "classifier/bias" in said

    fill = "fill: [{match: {name: 'classifier/.+'}, with: template}]"
    run(*convert, own_rules(family, tmp_path, fill))
    noise(target.objects["model"].weights, "nothing is right before the restore")
    restore(target, new)
    assert_values(target.variables(old.values))
    assert_values(list(zip(target.objects["model"].classifier.weights, head, strict=True)))
