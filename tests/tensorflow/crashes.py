"""Conversions that are killed or refused something, and what is to be found after them."""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np
import tensorflow as tf

from harness import binary, run

PREFIX, EARLIER = "new.ckpt", "earlier.ckpt"
# Half of the bytes is copied as it lies there, the other half goes through a transform.
RULES = """\
version: 1
rules:
  - {from: '(.+)/kept', to: '$1/kept'}
  - {from: '(.+)/turned', to: '$1/turned', apply: [transpose]}
"""
# Whatever can change a file, a directory, or what survives of them.
CALLS = [
    *("openat", "openat2", "creat", "ftruncate", "truncate", "fallocate", "flock"),
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "copy_file_range", "sendfile"),
    *("fsync", "fdatasync", "sync_file_range", "syncfs"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
    *("unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "fchmod", "fchmodat", "chmod"),
]
# Whatever tells what is there.
READS = [
    *("read", "pread64", "readv", "preadv", "preadv2", "copy_file_range", "sendfile"),
    *("stat", "fstat", "lstat", "statx", "newfstatat", "readlink", "getdents64", "openat"),
]

Command = Sequence[str | Path]


@dataclass(frozen=True)
class Material:
    """Two sources that agree in names and shapes, and in no value."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, layers: int, width: int) -> "Material":
        folder.mkdir(parents=True)
        (folder / "rules.yaml").write_text(RULES)
        for seed, name in enumerate(("old", "new")):
            rng = np.random.default_rng(seed)
            names = [f"layer_{n:03}/{leaf}" for n in range(layers) for leaf in ("kept", "turned")]
            tf.raw_ops.SaveV2(
                prefix=str(folder / name),
                tensor_names=names,
                shape_and_slices=[""] * len(names),
                tensors=[rng.random((width, width), np.float32) for _ in names],
            )
        return cls(folder)

    def command(self, source: str, to: Path, *flags: str) -> Command:
        rules = self.folder / "rules.yaml"
        return ["convert", self.folder / source, "--map", rules, "-o", to, *flags]


@dataclass(frozen=True)
class Scenario:
    """What stood at a destination, and how it is converted to."""

    name: str
    conversions: int = 0
    flags: tuple[str, ...] = ("--force",)

    def is_listed(self) -> bool:
        return "--update-state" in self.flags


FRESH = Scenario("fresh")
OVER_ONE = Scenario("over one", 1)
OVER_REPLACED = Scenario("over a replaced one", 2)
FIRST_LISTED = Scenario("first listed", 0, ("--force", "--update-state"))
LISTED = Scenario("listed over one", 1, ("--force", "--update-state"))
LINKED = Scenario("linked over one", 1, ("--force", "--link=require"))
SCENARIOS = [FRESH, OVER_ONE, OVER_REPLACED, FIRST_LISTED, LISTED, LINKED]


def values(prefix: Path) -> dict[str, int] | None:
    """Checksums of all that TensorFlow reads, or nothing at all."""
    if not Path(f"{prefix}.index").exists():
        return None
    reader = tf.train.load_checkpoint(str(prefix))
    sums = {name: checksum(reader.get_tensor(name)) for name in reader.get_variable_to_shape_map()}
    # It had to be readable, but may be laid out differently.
    del sums["_CHECKPOINTABLE_OBJECT_GRAPH"]
    return sums


def checksum(value: np.ndarray | bytes) -> int:
    return crc32(value if isinstance(value, bytes) else np.ascontiguousarray(value))


def latest(directory: Path) -> str | None:
    """What the `checkpoint` file leads TensorFlow to, which must be whole."""
    if not (directory / "checkpoint").exists():
        return None
    prefix = tf.train.latest_checkpoint(str(directory))
    assert prefix is not None, "TensorFlow cannot use the `checkpoint` file"
    name = Path(prefix).name
    # Who asks for the latest looks at the new checkpoint as well.
    assert name == PREFIX or values(directory / name) is not None
    return name


def snapshot(directory: Path) -> dict[str, tuple[int, ...]] | None:
    """Every file as it is, by what would be another had it been written or replaced."""
    if not directory.exists():
        return None
    found = ((entry.name, entry.stat()) for entry in os.scandir(directory))
    return {name: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in found}


@dataclass(frozen=True)
class Ended:
    status: int
    said: str
    # What strace saw.
    calls: Sequence[str] = ()


def ended(command: Command, **options) -> Ended:
    """Runs the binary, whatever comes of it."""
    return _ended([binary(), *command], **options)


def traced(command: Command, log: Path, *options: str) -> Ended:
    """The same under strace."""
    done = _ended(["strace", "-f", "-y", "-o", log, *options, binary(), *command])
    return replace(done, calls=log.read_text().splitlines())


def _ended(command: Command, **options) -> Ended:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
    return Ended(done.returncode, done.stdout + done.stderr)


def strays(directory: Path, others: set[str]) -> set[str]:
    """What neither the checkpoint in there needs nor anybody else."""
    names = set(os.listdir(directory)) - others
    counts = sorted({int(name.rsplit("-", 1)[1]) for name in names if ".data-" in name})
    # A second complete set is as stray as a part of one.
    for count in counts:
        shards = {f"{PREFIX}.data-{n:05}-of-{count:05}" for n in range(count)}
        if shards <= names:
            return names - shards - {f"{PREFIX}.index"}
    return names


class Stage:
    """One conversion that can be begun again and again at a destination that is always the same."""

    def __init__(
        self, scenario: Scenario, material: Material, folder: Path, disk: Path | None = None
    ):
        self.material, self.start, self.log = material, folder / "start", folder / "strace.log"
        self.work = (disk or folder) / "work"
        # Links are cheap, and show whoever writes into a file that is in use.
        self.copy = shutil.copy2 if disk else os.link
        self.command = material.command("new", self.work / PREFIX, *scenario.flags)
        self.sources = snapshot(material.folder)
        if scenario.conversions:
            self._prepare(scenario)
        self.before = values(self.start / PREFIX), latest(self.start)
        self.begin()
        run(*self.command)
        self.after = values(self.work / PREFIX), latest(self.work)
        assert self.before[0] != self.after[0] is not None
        names = {*(self.untouched or ()), *(["checkpoint"] if scenario.is_listed() else [])}
        self.others = {name for name in names if not name.startswith(PREFIX)}
        self.assert_done()

    def _prepare(self, scenario: Scenario) -> None:
        if scenario.is_listed():
            run(*self.material.command("old", self.start / EARLIER, "--update-state"))
        for _ in range(scenario.conversions):
            run(*self.material.command("old", self.start / PREFIX, "--force"))

    def begin(self) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        if self.start.exists():
            shutil.copytree(self.start, self.work, copy_function=self.copy)
        self.untouched = snapshot(self.work)

    def traced(self, *options: str) -> Ended:
        return traced(self.command, self.log, *options)

    def calls(self, kinds: Sequence[str]) -> Counter[str]:
        """How often an undisturbed conversion makes calls of these kinds."""
        self.begin()
        whole = self.traced("-e", f"trace={','.join(kinds)}")
        assert whole.status == 0, whole.said
        return Counter(re.findall(r"^\d+ +(\w+)\(", "\n".join(whole.calls), re.MULTILINE))

    def found(self) -> str:
        """Which checkpoint TensorFlow finds; a third one, or half of one, fails."""
        self.assert_sources_whole()
        found, listed = values(self.work / PREFIX), latest(self.work)
        assert found in (self.before[0], self.after[0]), "neither the old checkpoint nor the new"
        if found == self.after[0]:
            assert listed in (self.before[1], self.after[1])
            return "new"
        assert listed == self.before[1]
        return "none" if found is None else "old"

    def assert_untouched(self) -> None:
        self.assert_sources_whole()
        assert snapshot(self.work) == self.untouched

    def assert_sources_whole(self) -> None:
        """Whatever the new checkpoint has in common with them."""
        assert snapshot(self.material.folder) == self.sources

    def assert_done(self) -> None:
        """The new checkpoint stands there, and nothing else that was not there before."""
        self.assert_sources_whole()
        assert (values(self.work / PREFIX), latest(self.work)) == self.after
        assert not self.strays()

    def strays(self) -> set[str]:
        return strays(self.work, self.others)

    def assert_repaired(self) -> None:
        """The next conversion succeeds and removes whatever this one left behind."""
        run(*self.command, "--no-sync")
        self.assert_done()
