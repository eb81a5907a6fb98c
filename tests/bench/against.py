#!/usr/bin/env python3
"""ckptmap beside cp, crc32c and TensorFlow, in turn, on the same checkpoints.

README.md in this folder says what each case is and how to read the table.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
MIB = 1 << 20

CHECKPOINT = "model.ckpt"
INDEX, DATA = f"{CHECKPOINT}.index", f"{CHECKPOINT}.data-00000-of-00001"

CP, CP_SYNC, SUM = "cp", "cp, sync", "crc32c alone"
COPY, COPY_NO_SYNC = "copy", "copy --no-sync"
GUIDE = "guide's converter"

Command = Sequence[str | Path]


class Failure(Exception):
    """A command that did not do what it is measured for."""


@dataclass(frozen=True)
class Used:
    """What one run took: seconds, and bytes at the most."""

    wall: float
    user: float | None = None
    system: float | None = None
    peak: int | None = None


@dataclass(frozen=True)
class Case:
    """Commands that are measured as one, and what they are compared with."""

    name: str
    source: str
    commands: Sequence[Command]
    against: Sequence[str] = ()
    # Shows that the result is right.
    proof: Command | None = None
    # Where the command itself says how long it took without its import.
    times: Path | None = None
    # Whether it is run when no cases are named.
    usual: bool = True

    def rows(self) -> list[str]:
        """What the table calls it."""
        return [self.name, *([f"{self.name} without its import"] if self.times else [])]


@dataclass
class Result:
    """All runs of a case."""

    name: str
    against: Sequence[str]
    runs: list[Used] = field(default_factory=list)

    def least(self, what: str) -> float | None:
        values = [getattr(run, what) for run in self.runs]
        return None if None in values else min(values)

    def peak(self) -> int | None:
        values = [run.peak for run in self.runs]
        return None if None in values else max(values)


class Place:
    """The folder where sources are made and results come and go."""

    def __init__(self, folder: Path, bench: Path) -> None:
        self.folder, self.bench = folder, bench
        # Of its own, so that nothing of anybody else's is removed.
        self.output = Path(tempfile.mkdtemp(prefix="output-", dir=folder))
        self.made: list[Path] = []

    def source(self, name: str) -> Path:
        return self.folder / name

    def make(self, name: str) -> None:
        """Makes a source unless it is there; only a complete one gets its name."""
        if self.source(name).exists():
            return
        say(f"making {name}")
        unfinished = self.output / name
        output((self.bench, "make", name, unfinished))
        unfinished.rename(self.source(name))
        self.made.append(self.source(name))

    def prepare(self, source: str) -> None:
        """The same beginning for every run: the disk has nothing left to write, the source is in
        the page cache, and as much memory as a copy needs was in use a moment ago. A virtual
        machine gives memory back that is free for long, and has to ask for it again.
        """
        for path in self.source(source).iterdir():
            shutil.copyfile(path, self.output / "copy")
        shutil.rmtree(self.output)
        self.output.mkdir()
        os.sync()

    def remove(self, *, keep: bool) -> None:
        for folder in [self.output, *([] if keep else self.made)]:
            shutil.rmtree(folder, ignore_errors=True)


class Menu:
    """All cases there are."""

    def __init__(self, place: Place, ckptmap: Path, tensorflow: Path | None) -> None:
        self.place, self.ckptmap, self.tensorflow = place, ckptmap, tensorflow

    def cases(self) -> Iterator[Case]:
        yield from self.copies("bert-large")
        yield from self.conversions("bert-large")
        yield from self.checks("bert-large")
        if self.tensorflow:
            yield self.guide("bert-large")
        yield from self.many("many")
        for source in ("large", "large-adam"):
            yield from self.large(source)

    def copies(self, source: str) -> Iterator[Case]:
        data, index = self.place.source(source) / DATA, self.place.source(source) / INDEX
        to = self.place.output / DATA
        copy = ("cp", data, to)
        yield Case(CP, source, [copy])
        yield Case(CP_SYNC, source, [copy, ("sync", to)])
        both = ("cp", data, index, self.place.output)
        proof = (self.ckptmap, "check", self.place.output)
        yield Case("cp, index too", source, [both], [CP], proof)

    def conversions(self, source: str) -> Iterator[Case]:
        ways = {
            COPY: ("renamed",),
            "copy --no-verify": ("renamed", "--no-verify"),
            "link": ("renamed", "--link=require"),
            "link --no-verify": ("renamed", "--link=require", "--no-verify"),
            "transposed": ("transposed",),
            "reshaped": ("reshaped",),
        }
        for name, (rules, *flags) in ways.items():
            yield self.convert(name, source, rules, *flags, against=[CP_SYNC])
            no_sync = (*flags, "--no-sync")
            yield self.convert(f"{name} --no-sync", source, rules, *no_sync, against=[CP])

    def checks(self, source: str) -> Iterator[Case]:
        old = self.place.source(source)
        yield Case(SUM, source, [(self.place.bench, "sum", old / DATA)])
        yield Case("check", source, [(self.ckptmap, "check", old / CHECKPOINT)], [SUM])
        yield Case("list", source, [(self.ckptmap, "list", old / CHECKPOINT)])
        statistics = (self.ckptmap, "list", old / CHECKPOINT, "--stats")
        yield Case("list --stats", source, [statistics], [SUM, CP])
        # With itself: every byte of both sides is read and compared.
        both = (old / CHECKPOINT, old / CHECKPOINT)
        yield Case("diff", source, [(self.ckptmap, "diff", *both)], [SUM, CP])
        content = (self.ckptmap, "diff", *both, "--by-content")
        yield Case("diff --by-content", source, [content], [SUM, CP])

    def guide(self, source: str) -> Case:
        new, times = self.place.output / CHECKPOINT, self.place.output / "times.json"
        old = self.place.source(source) / CHECKPOINT
        command = (self.tensorflow, HERE / "guide.py", old, new, times)
        proof = (self.ckptmap, "check", self.place.output)
        return Case(GUIDE, source, [command], [COPY, COPY_NO_SYNC], proof, times)

    def many(self, source: str) -> Iterator[Case]:
        old = self.place.source(source)
        yield Case(f"{source}: list", source, [(self.ckptmap, "list", old / CHECKPOINT)])
        for rules in ("renamed", "patterns"):
            plan = (self.ckptmap, "plan", old / CHECKPOINT, "--map", old / f"rules-{rules}.yaml")
            yield Case(f"{source}: plan {rules}", source, [plan])
        yield self.convert(f"{source}: copy", source, "renamed")

    def large(self, source: str) -> Iterator[Case]:
        for name, rules in {"copy": "renamed", "transposed": "transposed"}.items():
            yield self.convert(f"{source}: {name}", source, rules, usual=False)

    def convert(
        self,
        name: str,
        source: str,
        rules: str,
        *flags: str,
        against: Sequence[str] = (),
        usual: bool = True,
    ) -> Case:
        old, new = self.place.source(source), self.place.output / CHECKPOINT
        by = ("--map", old / f"rules-{rules}.yaml")
        command = (self.ckptmap, "convert", old / CHECKPOINT, *by, "-o", new, "--quiet", *flags)
        proof = (self.ckptmap, "verify", new, "--against", old / CHECKPOINT, *by)
        return Case(name, source, [command], against, proof, usual=usual)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def build() -> tuple[Path, Path]:
    """The benchmark's own program, and ckptmap."""
    command = ["cargo", "bench", "--bench", "large", "--no-run", "--message-format=json"]
    lines = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE).stdout
    messages = [json.loads(line) for line in lines.splitlines()]
    programs = {m["target"]["name"]: Path(m["executable"]) for m in messages if m.get("executable")}
    return programs["large"], programs["ckptmap"]


def chosen(cases: Sequence[Case], patterns: Sequence[str]) -> list[Case]:
    """The cases that are named, or the usual ones, and whatever they are compared with."""

    def is_named(case: Case) -> bool:
        return any(fnmatchcase(case.name, pattern) for pattern in patterns)

    for pattern in patterns:
        if not any(fnmatchcase(case.name, pattern) for case in cases):
            raise Failure(f"no case is called `{pattern}`: " + ", ".join(c.name for c in cases))
    names = {case.name for case in cases if (is_named(case) if patterns else case.usual)}
    names |= {other for case in cases if case.name in names for other in case.against}
    return [case for case in cases if case.name in names]


def flags(command: Command) -> list[str]:
    """Its flags, without their values."""
    return [word.split("=")[0] for word in map(str, command) if word.startswith("--")]


def possible(cases: Sequence[Case], ckptmap: Path) -> list[Case]:
    """Leaves out cases with flags that this ckptmap does not know."""
    help_text = output((ckptmap, "convert", "--help"))
    left_out = {
        case.name: flag
        for case in cases
        for flag in flags(case.commands[0])
        if case.commands[0][1] == "convert" and flag not in help_text
    }
    for name, flag in left_out.items():
        say(f"left out, as this ckptmap has no {flag}: {name}")
    return [case for case in cases if case.name not in left_out]


def output(command: Command) -> str:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failure(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def measure(bench: Path, commands: Sequence[Command]) -> Used:
    """Runs commands one after the other; their times add up.

    A child begins with the memory of whoever starts it, as the system counts. That is why the
    small program of the benchmark starts and measures them.
    """
    runs = [output((bench, "measure", *command)).split() for command in commands]
    wall, user, system, peaks = zip(*(map(float, run) for run in runs))
    return Used(sum(wall), sum(user), sum(system), int(max(peaks)))


def runs_of(case: Case, bench: Path) -> Iterator[Used]:
    """Runs a case once; what it took for each of its rows."""
    yield measure(bench, case.commands)
    if case.times:
        yield Used(json.loads(case.times.read_text())["convert"])


def run_all(place: Place, cases: Sequence[Case], rounds: int) -> list[Result]:
    results = {row: Result(row, case.against) for case in cases for row in case.rows()}
    for source in dict.fromkeys(case.source for case in cases):
        place.make(source)
        for number in range(1, rounds + 1):
            say(f"{source}, round {number} of {rounds}")
            for case in (case for case in cases if case.source == source):
                place.prepare(source)
                for row, used in zip(case.rows(), runs_of(case, place.bench)):
                    results[row].runs.append(used)
                if case.proof and number == rounds:
                    output(case.proof)
    return list(results.values())


def ratios(result: Result, results: Sequence[Result]) -> dict[str, float]:
    """How many times as long as others, least to least."""
    others = {other.name: other.least("wall") for other in results}
    return {name: result.least("wall") / others[name] for name in result.against if name in others}


def table(results: Sequence[Result]) -> str:
    def cell(value: float | None, form: str, scale: float = 1) -> str:
        return "" if value is None else format(value / scale, form)

    rows = [("", "wall s", "user s", "system s", "peak MiB", "wall, compared")]
    for result in results:
        seconds = [cell(result.least(what), ".3f") for what in ("wall", "user", "system")]
        compared = [f"{ratio:.2f} x {name}" for name, ratio in ratios(result, results).items()]
        rows.append((result.name, *seconds, cell(result.peak(), ".0f", MIB), "; ".join(compared)))
    widths = [max(map(len, column)) for column in zip(*rows)]
    # Names and comparisons stand on the left, numbers on the right.
    aligns = ["<", ">", ">", ">", ">", "<"]
    lines = [
        "  ".join(f"{text:{align}{width}}" for text, align, width in zip(row, aligns, widths))
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def as_json(results: Sequence[Result], rounds: int) -> str:
    cases = [
        {
            "name": result.name,
            **{what: result.least(what) for what in ("wall", "user", "system")},
            "peak": result.peak(),
            "ratios": ratios(result, results),
            "runs": [asdict(run) for run in result.runs],
        }
        for result in results
    ]
    machine = {"system": platform.platform(), "processors": os.cpu_count()}
    return json.dumps({"rounds": rounds, "machine": machine, "cases": cases}, indent=2) + "\n"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--place", type=Path, required=True, help="folder for sources and results")
    parser.add_argument("--runs", type=int, default=9, help="rounds in which each case is run once")
    parser.add_argument("--cases", nargs="+", default=[], help="names of cases, also as globs")
    parser.add_argument("--tensorflow", type=Path, help="a Python that has TensorFlow 2")
    parser.add_argument("--ckptmap", type=Path, help="another ckptmap than this checkout's")
    parser.add_argument("--json", type=Path, help="write all figures there too")
    parser.add_argument("--keep", action="store_true", help="leave the sources that were made")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    bench, ckptmap = build()
    ckptmap = args.ckptmap or ckptmap
    args.place.mkdir(parents=True, exist_ok=True)
    place = Place(args.place.resolve(), bench)
    try:
        cases = chosen(list(Menu(place, ckptmap, args.tensorflow).cases()), args.cases)
        results = run_all(place, possible(cases, ckptmap), args.runs)
    except Failure as failure:
        sys.exit(str(failure))
    finally:
        place.remove(keep=args.keep)
    print(f"wall, user, system: minima of {args.runs} interleaved runs; peak: their maximum\n")
    print(table(results))
    if args.json:
        args.json.write_text(as_json(results, args.runs))


if __name__ == "__main__":
    main()
