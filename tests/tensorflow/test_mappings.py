"""Every built-in mapping: what TensorFlow restores computes what TF1 computed."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from families import (
    FAMILIES,
    MISFITS,
    ROWS,
    Family,
    Row,
    Source,
    Target,
    noise,
    relative_difference,
    rules_of,
)
from harness import run
from training import same

# Each registers its families.
import family_bert  # noqa: F401
import family_densenet  # noqa: F401
import family_estimator  # noqa: F401
import family_mobile  # noqa: F401
import family_recurrent  # noqa: F401
import family_text  # noqa: F401
import family_vision  # noqa: F401

MAPPINGS = Path(__file__).resolve().parents[2] / "mappings"
LARGEST_DIFFERENCE = 1e-4
# Two layers that were taken for one another may be alike; not that much.
SMALLEST_MISTAKE = 10 * LARGEST_DIFFERENCE
LEAF = "/.ATTRIBUTES/VARIABLE_VALUE"
# Of how often the program was saved; no variable of the model.
COUNTER = f"save_counter{LEAF}"

HERE = [family for family in FAMILIES if family.belongs_here()]
# One for each mapping.
BY_MAPPING = {family.mapping: family for family in reversed(HERE)}
each_family = pytest.mark.parametrize("family", HERE, ids=str)
each_misfit = pytest.mark.parametrize(
    "misfit", [misfit for misfit in MISFITS if misfit.belongs_here()], ids=str
)


@dataclass(frozen=True, repr=False)
class Takeover:
    """A new program that waits for the values of an old one."""

    family: Family
    source: Source
    folder: Path
    target: Target
    # The program's variables and their values-to-be.
    expected: list
    # What the template has where the mapping gives nothing.
    kept: list[np.ndarray]

    @classmethod
    def of(cls, family: Family, source: Source, folder: Path) -> "Takeover":
        target = family.build()
        # Keras builds some variables when they are first needed.
        target.call()
        made = cls(family, source, folder, target, target.variables(source.values), [])
        noise(made.variables(), "template")
        made.kept.extend(np.asarray(variable.numpy()) for variable in target.kept)
        made.checkpoint().save(str(folder / "fresh"))
        return made

    @property
    def template(self) -> str:
        return str(self.folder / "fresh-1")

    def checkpoint(self) -> tf.train.Checkpoint:
        return tf.train.Checkpoint(**self.target.objects)

    def variables(self) -> list:
        return [*(variable for variable, _ in self.expected), *self.target.kept]

    def leaves(self) -> list[str]:
        stored = tf.train.load_checkpoint(self.template).get_variable_to_shape_map()
        return [key for key in stored if key.endswith(LEAF) and key != COUNTER]

    def convert(self, rules: str | Path, name: str) -> dict:
        """Converts and restores; returns what the tool says of it."""
        new = self.folder / name
        like = ("--like", self.template, "-o", new, "--json")
        said = run("convert", self.source.prefix, "--map", rules, *like, *self.family.flags)
        noise(self.variables(), "nothing is right before the restore")
        status = self.checkpoint().restore(str(new))
        status.assert_consumed()
        status.assert_existing_objects_matched()
        return document(said)

    def wrong(self) -> list[str]:
        """Variables with other values than they must have."""
        ulps = self.family.ulps
        judged = [(variable, value, ulps) for variable, value in self.expected]
        judged += [(v, value, 0) for v, value in zip(self.target.kept, self.kept, strict=True)]
        return [v.name for v, value, ulps in judged if not same(np.asarray(v.numpy()), value, ulps)]

    def difference(self) -> float:
        expected = self.family.outputs(self.source.outputs)
        return relative_difference(self.target.call(), expected)

    def row(self, said: dict) -> Row:
        fates = Counter(variable["fate"] for variable in said["variables"])
        values = [value for value in said["values"] if value["key"] != COUNTER]
        return Row(
            mapping=self.family.mapping,
            target=self.family.target,
            mapped=fates.pop("mapped", 0),
            dropped=fates.total(),
            filled=sum(value["constant"] is not None for value in values),
            kept=sum(value["kept"] for value in values),
            difference=self.difference(),
        )


def document(said: str) -> dict:
    """What was said in JSON; notes may follow."""
    return json.JSONDecoder().raw_decode(said)[0]


@pytest.fixture(scope="session")
def takeover_of(tmp_path_factory):
    """What a family's old program wrote and its new one waits for, made once for all tests."""
    source = cache(lambda function: function(tmp_path_factory.mktemp("source")))

    @cache
    def made(family: Family) -> Takeover:
        return Takeover.of(family, source(family.source), tmp_path_factory.mktemp("target"))

    return made


def exchange(first: str, second: str, included: str) -> str:
    """A rule file that takes two layers for one another."""
    aside = "exchanged@"
    steps = [(first, aside), (second, first), (aside, second)]
    rename = [f"  - {{find: '{re.escape(find)}', replace: '{to}'}}" for find, to in steps]
    return "\n".join(["version: 1", f"include: [{included}]", "rename:", *rename, ""])


@each_family
def test_family(family, takeover_of):
    takeover = takeover_of(family)
    count = len(takeover.variables())
    assert count == len({id(variable) for variable in takeover.variables()})
    assert count == len(takeover.leaves()), "the list must be of every variable there is"

    rules, included = rules_of(family.mapping, takeover.folder)
    row = takeover.row(takeover.convert(rules, "new"))
    assert not takeover.wrong()
    assert row.kept == len(takeover.target.kept)
    assert row.difference <= LARGEST_DIFFERENCE
    ROWS.append(row)

    # What has been shown is worth something only if a mistake would have been seen.
    wrong = takeover.folder / "wrong.yaml"
    wrong.write_text(exchange(*family.swap, included))
    takeover.convert(wrong, "wrong")
    assert takeover.wrong()
    assert takeover.difference() > SMALLEST_MISTAKE


def problems(rules: Family, source: Takeover, template: Takeover) -> list[dict]:
    """What the tool has against it; with all details, as a program would ask for them."""
    mapping, _ = rules_of(rules.mapping, template.folder)
    files = (source.source.prefix, "--map", mapping, "--like", template.template)
    return document(run("plan", *files, "--json", status=1))["problems"]


@each_misfit
def test_misfit(misfit, takeover_of):
    """One sentence that explains it, before anything else."""
    found = problems(misfit.rules, takeover_of(misfit.source), takeover_of(misfit.template))
    sentences = [problem["message"] for problem in found if problem["kind"] == "fit"]
    assert found[0]["kind"] == "fit"
    assert len(sentences) == 1
    assert misfit.says in sentences[0]


def skeleton(source: Source) -> set[str]:
    """What its variables are called, whatever their numbers."""
    return {re.sub(r"\d+", "N", name) for name in source.values}


@pytest.mark.parametrize("rules", BY_MAPPING.values(), ids=lambda family: family.mapping)
def test_sources_of_other_mappings(rules, takeover_of):
    """Either one sentence says that the rules are for another model, or it is the same model."""
    own = takeover_of(rules)
    for other in BY_MAPPING.values():
        theirs = takeover_of(other)
        ours, them = skeleton(own.source), skeleton(theirs.source)
        if ours <= them or them <= ours:
            continue
        found = problems(rules, theirs, own)
        assert found[0]["kind"] == "fit", f"{other.mapping}: {found[0]}"


def test_every_mapping_has_a_test():
    """Some are registered only in the other environment, but must be named then."""
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("*.py"))
    named = set(re.findall(r'(?:"|builtin:)([\w-]+)', tests))
    named |= {family.mapping for family in FAMILIES}
    mappings = {path.stem for path in MAPPINGS.glob("*.yaml")}
    assert mappings
    assert mappings <= named
