"""What the programs of all families wrote, and the programs that take over from them."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import tensorflow as tf

# Each registers its families.
import family_bert  # noqa: F401
import family_densenet  # noqa: F401
import family_estimator  # noqa: F401
import family_mobile  # noqa: F401
import family_recurrent  # noqa: F401
import family_text  # noqa: F401
import family_vision  # noqa: F401
from families import FAMILIES, Family, Row, Source, Target, noise, relative_difference
from harness import run
from training import same

LARGEST_DIFFERENCE = 1e-4
LEAF = "/.ATTRIBUTES/VARIABLE_VALUE"
# Of how often the program was saved; no variable of the model.
COUNTER = f"save_counter{LEAF}"
HERE = [family for family in FAMILIES if family.belongs_here()]


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
        self.restore(new)
        return document(said)

    def restore(self, new: Path) -> None:
        noise(self.variables(), "nothing is right before the restore")
        status = self.checkpoint().restore(str(new))
        status.assert_consumed()
        status.assert_existing_objects_matched()

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


def takeovers(new_folder: Callable[[str], Path]) -> Callable[[Family], Takeover]:
    """Makes each of them, and what wrote its source, once."""
    source = cache(lambda function: function(new_folder("source")))

    @cache
    def made(family: Family) -> Takeover:
        return Takeover.of(family, source(family.source), new_folder("target"))

    return made
