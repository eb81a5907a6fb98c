#!/usr/bin/env python3
"""Two hundred checkpoints with `ckptmap batch`, and one after the other with `ckptmap convert`.

README.md in this folder says how they are measured.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from against import REPOSITORY, Command, Failure, build, output, say

# What the fixtures' generator knows of checkpoints.
sys.path.append(str(REPOSITORY / "testdata"))
from generate.bundle import write_variables

RUNS = [f"run-{number:02}" for number in range(1, 21)]
STEPS = range(1000, 10_001, 1000)
FLOAT, SIDE = 1, 256
RULES = """\
version: 1
root: model
rules:
  - {from: 'model/layer_(\\d+)/(.+)', to: 'layers/$1/$2'}
"""
JOBS = """\
version: 1
defaults: {map: rules.yaml}
jobs:
  - {input: 'runs/{run}/model.ckpt-{step}', output: 'converted/{run}/ckpt-{step}'}
"""
# What people have today, with $1 as the program.
LOOP = """\
for index in runs/*/model.ckpt-*.index; do
  old=${index%.index} run=${index%/*}
  "$1" convert "$old" --map rules.yaml -o "converted/${run##*/}/ckpt-${old##*-}" -q || exit
done
"""


def cases(ckptmap: Path) -> dict[str, Command]:
    return {
        "convert, in a loop": ("sh", "-c", LOOP, "sh", ckptmap),
        "batch -j 1": (ckptmap, "batch", "jobs.yaml", "-j", "1"),
        "batch": (ckptmap, "batch", "jobs.yaml"),
    }


def make(place: Path, size: int) -> None:
    """Copies of one checkpoint: files of their own, as it is files that are read."""
    values, shape = random.Random(1), [SIDE, SIDE]
    variables = {
        f"model/layer_{number}/kernel": (FLOAT, shape, values.randbytes(4 * SIDE * SIDE))
        for number in range(max(1, round(size / (4 * SIDE * SIDE))))
    }
    write_variables(place / "model.ckpt", variables)
    for run in RUNS:
        (place / "runs" / run).mkdir(parents=True)
        for step in STEPS:
            for file in place.glob("model.ckpt.*"):
                shutil.copyfile(file, place / "runs" / run / f"model.ckpt-{step}{file.suffix}")
    (place / "rules.yaml").write_text(RULES)
    (place / "jobs.yaml").write_text(JOBS)


def prepare(place: Path) -> None:
    """As `against.py` does before each run, for the reasons that it has."""
    shutil.rmtree(place / "converted", ignore_errors=True)
    shutil.copytree(place / "runs", place / "copy")
    shutil.rmtree(place / "copy")
    os.sync()


def seconds(command: Command, place: Path) -> float:
    begun = time.perf_counter()
    done = subprocess.run(list(map(str, command)), cwd=place, capture_output=True, text=True)
    spent = time.perf_counter() - begun
    if done.returncode:
        raise Failure(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return spent


def prove(ckptmap: Path, place: Path) -> None:
    """Everything is there, and what it was."""
    for run in RUNS:
        for step in STEPS:
            old = place / f"runs/{run}/model.ckpt-{step}"
            new = place / f"converted/{run}/ckpt-{step}"
            counter = output((ckptmap, "show", new, "save_counter")).split()[-1]
            by = ("--map", place / "rules.yaml", "--save-counter", counter)
            output((ckptmap, "verify", new, "--against", old, *by))


def measure(ckptmap: Path, place: Path, rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in cases(ckptmap)}
    for number in range(1, rounds + 1):
        say(f"round {number} of {rounds}")
        for name, command in cases(ckptmap).items():
            prepare(place)
            times[name].append(seconds(command, place))
            if number == rounds:
                prove(ckptmap, place)
    return times


def table(times: dict[str, Sequence[float]], size: int) -> str:
    least = {name: min(runs) for name, runs in times.items()}
    first = next(iter(least.values()))
    width = max(map(len, least))
    lines = [f"{'':{width}}  seconds    MB/s  compared with the first"]
    for name, wall in least.items():
        lines.append(f"{name:{width}}  {wall:7.3f}  {size / wall / 1e6:6.0f}  {wall / first:.2f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--place", type=Path, required=True, help="folder for sources and results")
    parser.add_argument("--size", type=float, default=4, help="MB of each checkpoint")
    parser.add_argument("--runs", type=int, default=5, help="rounds in which each case is run once")
    parser.add_argument("--ckptmap", type=Path, help="another ckptmap than this checkout's")
    args = parser.parse_args()
    ckptmap = args.ckptmap.resolve() if args.ckptmap else build()[1]
    args.place.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="batch-", dir=args.place)).resolve()
    try:
        make(place, int(args.size * 1e6))
        size = sum(file.stat().st_size for file in place.glob("runs/*/*.data-*"))
        times = measure(ckptmap, place, args.runs)
    except Failure as failure:
        sys.exit(str(failure))
    finally:
        shutil.rmtree(place)
    count = len(RUNS) * len(STEPS)
    each = f"{count} checkpoints of {size / count / 1e6:.1f} MB"
    print(f"{each}; minima of {args.runs} interleaved runs\n")
    print(table(times, size))


if __name__ == "__main__":
    main()
