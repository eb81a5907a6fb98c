"""What there is to convert: two hundred checkpoints, of twenty runs of one model."""

import json
import os
import random
import struct
import subprocess
from collections.abc import Iterable
from math import prod
from pathlib import Path

from generate.bundle import write_variables

FLOAT, INT64, COLUMNS = 1, 9, 16
RUNS = [f"run-{number:02}" for number in range(1, 21)]
# In the order of their names, the last one would be 900.
STEPS = range(100, 1001, 100)

RULES = """\
version: 1
root: model
rules:
  - {from: 'model/dense/(.+)', to: 'head/$1'}
  - drop: global_step
"""
JOBS = """\
version: 1
defaults: {map: rules.yaml}
jobs:
  - {input: 'runs/{run}/model.ckpt-{step}', output: 'converted/{run}/ckpt-{step}'}
"""


def program() -> Path:
    """A test without its subject fails; it is never skipped."""
    named = os.environ.get("CKPTMAP")
    if not named or not Path(named).is_file():
        raise RuntimeError("the environment variable CKPTMAP must name the ckptmap binary")
    return Path(named).resolve()


def write_checkpoint(prefix: Path, step: int, rows: int) -> None:
    """One like no other."""
    values = random.Random(f"{prefix.parent.name}, {step}")
    dims = {"bias": [COLUMNS], "kernel": [rows, COLUMNS]}
    variables = {
        f"model/dense/{leaf}": (FLOAT, shape, values.randbytes(4 * prod(shape)))
        for leaf, shape in dims.items()
    }
    variables["global_step"] = (INT64, [], struct.pack("<q", step))
    write_variables(prefix, variables)


class Runs:
    """A folder with all of them, with the rules and with the job file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outputs = {
            folder / f"runs/{run}/model.ckpt-{step}": folder / f"converted/{run}/ckpt-{step}"
            for run in RUNS
            for step in STEPS
        }

    def write(self) -> None:
        """The runs differ in size, so that as many of them are not as much work."""
        for number, run in enumerate(RUNS, 1):
            (self.folder / "runs" / run).mkdir(parents=True)
            for step in STEPS:
                prefix = self.folder / f"runs/{run}/model.ckpt-{step}"
                write_checkpoint(prefix, step, rows=16 * number)
        (self.folder / "rules.yaml").write_text(RULES)
        (self.folder / "jobs.yaml").write_text(JOBS)

    def ckptmap(self, *arguments: str | Path, status: int = 0) -> str:
        command = [str(word) for word in (program(), *arguments)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=60)
        said = f"{command}\n{done.returncode}\n{done.stdout}{done.stderr}"
        assert done.returncode == status, said
        return done.stdout

    def report(self, name: object) -> dict[Path, str]:
        """What one task says became of each source."""
        return outcomes(self.folder, self.folder / f"reports/{name}.json")

    def merged(self, names: Iterable[object], status: int = 0) -> dict[Path, str]:
        """The same of all tasks together, as `ckptmap` puts them together."""
        reports = [f"reports/{name}.json" for name in names]
        merged = self.folder / "report.json"
        merged.unlink(missing_ok=True)
        self.ckptmap("batch", "--merge-reports", *reports, "--report", merged, status=status)
        return outcomes(self.folder, merged)

    def size(self, sources: Iterable[Path]) -> int:
        return sum(Path(f"{one}.data-00000-of-00001").stat().st_size for one in sources)

    def assert_converted(self) -> None:
        """Each is there, from its own source, and every run is a series that TensorFlow knows."""
        for source, output in self.outputs.items():
            # Whoever converts a part of a series still knows where in it that is.
            place = ("--save-counter", str(STEPS.index(int(output.name.split("-")[1])) + 1))
            rules = ("--map", "rules.yaml")
            self.ckptmap("verify", output, "--against", source, *rules, *place, "--quiet")
            assert Path(f"{output}.ckptmap.json").is_file()
        wanted = [f'model_checkpoint_path: "ckpt-{STEPS[-1]}"']
        wanted += [f'all_model_checkpoint_paths: "ckpt-{step}"' for step in STEPS]
        for run in RUNS:
            state = (self.folder / f"converted/{run}/checkpoint").read_text().splitlines()
            assert [line for line in state if "path" in line] == wanted

    def snapshot(self) -> dict[Path, tuple[int, int, int]]:
        """Every file of results as it is, by what would be another had it been written again."""
        files = (self.folder / "converted").rglob("ckpt-*")
        stats = {file: file.stat() for file in files}
        return {f: (s.st_ino, s.st_size, s.st_mtime_ns) for f, s in stats.items()}


def outcomes(folder: Path, report: Path) -> dict[Path, str]:
    told = json.loads(report.read_text())
    assert told["schema"] == 1
    found = {folder / job["input"]: job["outcome"] for job in told["jobs"]}
    assert len(found) == len(told["jobs"]), "a source is told twice"
    return found
