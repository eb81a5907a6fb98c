"""Old checkpoints, the fresh ones of the programs that take over, and the rules known to lead from
one to the other: what a suggestion of rules is held against.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

import shim_programs  # noqa: F401  (registers its migrations)
from dialects import EVERY_DIALECT, Dialect
from families import Family, rules_of
from flavours import FLAVOURS
from harness import TESTDATA, assert_continues, assert_same_outputs, restore, tf1_run
from optimizers import CASES, CELL_CASES
from optimizers import Case as Trained
from programs import MIGRATIONS, Migration
from takeovers import HERE, LARGEST_DIFFERENCE, Takeover
from test_cells import CASES as CELLS
from test_cells import Case as Cell
from test_cells import Takeover as CellTakeover
from test_keras_sources import SOURCES
from training import assert_values

Takeovers = Callable[[Family], Takeover]


@dataclass(frozen=True)
class Pair:
    """Two checkpoints, by their prefixes, and what is known of them."""

    name: str
    old: Path
    like: Path
    # As `--map` takes them.
    rules: str | Path
    # What the rules of this case do not say.
    flags: tuple[str, ...]
    # Restores a conversion by its prefix, and judges it as the case's own test does.
    check: Callable[[Path], None]

    @property
    def graph(self) -> Path:
        return self.old.with_name(f"{self.old.name}.meta")


@dataclass(frozen=True)
class Case:
    """A pair that can be made, in a folder of its own."""

    name: str
    make: Callable[[str, Path, Takeovers], Pair]
    # Whether there is a `.meta`, and whether variables go by names, not by objects.
    graph: bool = True
    named: bool = True

    def __str__(self) -> str:
        return self.name

    def pair(self, folder: Path, takeover_of: Takeovers) -> Pair:
        # Fresh models are random, but the same ones every time.
        for keras in FLAVOURS.values():
            keras.utils.set_random_seed(crc32(self.name.encode()))
        return self.make(self.name, folder, takeover_of)


def check_family(takeover: Takeover, new: Path) -> None:
    takeover.restore(new)
    assert not takeover.wrong()
    assert takeover.difference() <= LARGEST_DIFFERENCE


def of_family(family: Family, name: str, folder: Path, takeover_of: Takeovers) -> Pair:
    takeover = takeover_of(family)
    rules, _ = rules_of(family.mapping, folder)
    files = (Path(takeover.source.prefix), Path(takeover.template))
    return Pair(name, *files, rules, family.flags, partial(check_family, takeover))


def check_cell(takeover: CellTakeover, new: Path) -> None:
    takeover.restore(new)
    takeover.assert_right()


def of_cell(case: Cell, keras: Any, name: str, folder: Path, _: Takeovers) -> Pair:
    takeover = CellTakeover.of(case, keras, folder)
    rules = takeover.rules(case.rules)
    files = (Path(takeover.source.prefix), takeover.fresh)
    return Pair(name, *files, rules, (), partial(check_cell, takeover))


def check_training(case: Trained, dialect: Dialect, new: Path) -> None:
    training = case.training(dialect)
    training.fill_with_noise()
    restore(training, str(new))
    assert_values(case.values(training))
    assert_same_outputs(training.outputs(case.truth.inputs[0]), case.truth.outputs)


def of_training(case: Trained, dialect: Dialect, name: str, folder: Path, _: Takeovers) -> Pair:
    handover = case.handover(folder)
    handover.write_template(case.training(dialect))
    check = partial(check_training, case, dialect)
    flags = case.flags_for(dialect)
    return Pair(name, handover.source, handover.fresh, handover.rules, flags, check)


def check_migration(migration: Migration, new: Path) -> None:
    assert_continues(migration.case, migration.program(), str(new))


def of_migration(migration: Migration, name: str, folder: Path, _: Takeovers) -> Pair:
    program = migration.program()
    program.build("template", tf1_run(migration.case)[0])
    like = Path(program.checkpoint().save(str(folder / "fresh")))
    source = TESTDATA / migration.case
    check = partial(check_migration, migration)
    return Pair(name, source / "model.ckpt", like, source / migration.rules, (), check)


def called(*words: object) -> str:
    return "-".join(re.findall(r"[\w.]+", " ".join(map(str, words))))


def trained(case: Trained, dialect: Dialect) -> Case:
    make = partial(of_training, case, dialect)
    return Case(called(case, dialect), make, case.graph.exists(), case not in SOURCES)


FAMILY_CASES = [Case(str(family), partial(of_family, family)) for family in HERE]
CELL_PAIRS = [
    Case(called("cell", case, name), partial(of_cell, case, keras))
    for case in CELLS
    for name, keras in FLAVOURS.items()
]
TRAINED = [
    trained(case, dialect) for case in [*CASES, *CELL_CASES, *SOURCES] for dialect in EVERY_DIALECT
]
MIGRATED = [Case(called(one), partial(of_migration, one)) for one in MIGRATIONS]
PAIRS = [*FAMILY_CASES, *CELL_PAIRS, *TRAINED, *MIGRATED]
