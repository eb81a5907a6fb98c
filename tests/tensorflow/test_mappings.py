"""Every built-in mapping: what TensorFlow restores computes what TF1 computed."""

import re
from pathlib import Path

import pytest

from families import FAMILIES, MISFITS, ROWS, Family, Source, rules_of
from harness import run
from takeovers import HERE, LARGEST_DIFFERENCE, Takeover, document

MAPPINGS = Path(__file__).resolve().parents[2] / "mappings"
# Two layers that were taken for one another may be alike; not that much.
SMALLEST_MISTAKE = 10 * LARGEST_DIFFERENCE

# One for each mapping.
BY_MAPPING = {family.mapping: family for family in reversed(HERE)}
each_family = pytest.mark.parametrize("family", HERE, ids=str)
each_misfit = pytest.mark.parametrize(
    "misfit", [misfit for misfit in MISFITS if misfit.belongs_here()], ids=str
)


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
