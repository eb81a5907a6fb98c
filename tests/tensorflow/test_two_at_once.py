"""Two conversions in one place at once: one comes after the other, and nothing is mixed."""

import random
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import tensorflow as tf

from crashes import PREFIX, Command, Ended, Material, ended, strays, traced, values
from harness import run

pytestmark = pytest.mark.only("2.15")
each_way = pytest.mark.parametrize("flags", [(), ("--force",)], ids=["fresh", "--force"])
SOURCES = ("old", "new")
ROUNDS = 10
# In microseconds, and long for what it stands for: another process's turn.
LONGEST_PAUSE = 150_000
Run = Callable[[Command], Ended]


def both(material: Material, runs: list[Run], destinations: list[Path], *flags: str) -> list[Ended]:
    commands = [material.command(*pair, *flags) for pair in zip(SOURCES, destinations)]
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda run, command: run(command), runs, commands))


def hesitating(rng: random.Random, log: Path, rename: int) -> Run:
    """Pauses before and after a file gets its name."""
    before, after = rng.randrange(LONGEST_PAUSE), rng.randrange(LONGEST_PAUSE)
    pauses = f"inject=rename:delay_enter={before}:delay_exit={after}:when={rename}"
    return lambda command: traced(command, log, "-e", "trace=rename", "-e", pauses)


def contest(material: Material, folder: Path, flags: tuple[str, ...], pairs: list[list[Run]]):
    """Counts how many conversions of each pair succeeded; one of those is what stands there."""
    for source in SOURCES:
        run(*material.command(source, folder / source / PREFIX))
    alone = [values(folder / source / PREFIX) for source in SOURCES]
    seen = Counter()
    for number, runs in enumerate(pairs):
        to = folder / f"round-{number}" / PREFIX
        if flags:
            run(*material.command("old", to))
        results = both(material, runs, [to, to], *flags)
        winners = [n for n, result in enumerate(results) if result.status == 0]
        assert winners, results
        assert values(to) in [alone[n] for n in winners]
        assert not strays(to.parent, set())
        assert all(result.status == 0 or gave_way(result) for result in results), results
        seen[len(winners)] += 1
    return seen


def gave_way(result: Ended) -> bool:
    why = "changed while the new checkpoint was written; run again|stands at `.*; `--force` re"
    return result.status == 2 and re.search(why, result.said) is not None


@each_way
def test_two_at_once(flags, tmp_path, announce):
    material = Material.make(tmp_path / "material", layers=8, width=512)
    seen = contest(material, tmp_path, flags, [[ended, ended]] * ROUNDS)
    announce(f"rounds in which so many of two succeeded: {dict(seen)}")


@each_way
def test_two_that_get_in_each_other_s_way(flags, small, tmp_path, announce):
    rng, logs = random.Random(0), [tmp_path / "a.log", tmp_path / "b.log"]
    # The first file whose content differs: over one data file come two, the graph in the second.
    rename = 2 if flags else 1
    pairs = [[hesitating(rng, log, rename) for log in logs] for _ in range(2 * ROUNDS)]
    seen = contest(small, tmp_path, flags, pairs)
    announce(f"rounds in which so many of two succeeded: {dict(seen)}")


def test_two_in_one_list(small, tmp_path, announce):
    rng, logs = random.Random(0), [tmp_path / "a.log", tmp_path / "b.log"]
    for number in range(ROUNDS):
        folder = tmp_path / f"round-{number}"
        prefixes = [folder / "a.ckpt", folder / "b.ckpt"]
        # The third file is the list.
        runs = [hesitating(rng, log, 3) for log in logs]
        results = both(small, runs, prefixes, "--update-state")
        assert [result.status for result in results] == [0, 0], results
        listed = tf.train.get_checkpoint_state(str(folder)).all_model_checkpoint_paths
        assert sorted(listed) == [str(prefix) for prefix in prefixes]
    announce(f"pairs of conversions that one list kept: {ROUNDS}")
