"""A TF1 checkpoint to share data files of, and what can be seen of that from outside."""

import fcntl
import os
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from harness import binary, plant

tf1 = tf.compat.v1

PREFIX = "new.ckpt"
RULES = """\
version: 1
root: model
rules:
  - {drop: ['gone/.+']}
  - {from: 'dec/turned', to: 'dec/turned', apply: [transpose]}
  - {from: 'enc/half', to: [enc/half, enc/again]}
  - {from: '(.+)', to: '$1'}
fill:
"""
# Without a template a shape is needed, with one there is none to be given.
FILL = {
    False: "  - {leaf: enc/scale, shape: [3], with: ones}\n",
    True: "  - {match: enc/scale, with: ones}\n",
}
# What is in the template alone, and stays.
KEPT = {"model/head/kernel": np.arange(12, dtype=np.float32).reshape(3, 4)}
# Large enough to have blocks of their own on every file system.
LARGE = (96, 192)

Values = Mapping[str, np.ndarray]


def save(prefix: Path, seed: int) -> None:
    """As TF1 with parameter servers did: a data file for each. Names and shapes never change."""
    rng = np.random.default_rng(seed)

    def number(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    with tf.Graph().as_default():
        with tf.device("/cpu:0"):
            tf1.Variable(number(*LARGE), name="enc/kernel")
            words = np.array([rng.bytes(40), b"", rng.bytes(300)], object)
            tf1.Variable(words, name="enc/words", dtype=tf.string)
            tf1.Variable(tf.cast(number(16, 8), tf.bfloat16), name="enc/half")
            tf1.Variable(number(0, 4), name="enc/empty")
            tf1.Variable(rng.integers(1 << 62), name="enc/step", dtype=tf.int64)
        with tf.device("/cpu:1"):
            tf1.Variable(number(*LARGE), name="dec/kernel")
            tf1.Variable(number(24, 8), name="dec/turned")
            # In two slices, which are not read as they lie there.
            table, two = tf.constant(number(6, 50)), tf1.fixed_size_partitioner(2)
            tf1.get_variable("dec/table", initializer=table, partitioner=two)
        with tf.device("/cpu:2"):
            tf1.Variable(number(*LARGE), name="gone/kernel")
        devices = tf1.ConfigProto(device_count={"CPU": 3})
        with tf1.Session(config=devices) as session:
            session.run(tf1.global_variables_initializer())
            saver = tf1.train.Saver(sharded=True)
            saver.save(session, str(prefix), write_meta_graph=False, write_state=False)


def read(prefix: Path | str) -> dict[str, np.ndarray]:
    """Everything in a checkpoint, as TensorFlow reads it."""
    reader = tf.train.load_checkpoint(str(prefix))
    names = reader.get_variable_to_shape_map()
    return {name: np.asarray(reader.get_tensor(name)) for name in names}


def converted(old: Values) -> dict[str, np.ndarray]:
    """What the rules make of these values, worked out without them."""
    new = {f"model/{name}": value for name, value in old.items() if not name.startswith("gone/")}
    new["model/dec/turned"] = old["dec/turned"].T
    new["model/enc/again"] = old["enc/half"]
    new["model/enc/scale"] = np.ones(3, np.float32)
    return new


def same(a: np.ndarray, b: np.ndarray) -> bool:
    if (a.dtype, a.shape) != (b.dtype, b.shape):
        return False
    return a.tolist() == b.tolist() if a.dtype == object else a.tobytes() == b.tobytes()


def assert_same(found: Values, wanted: Values) -> None:
    assert sorted(found) == sorted(wanted)
    wrong = [name for name in wanted if not same(found[name], wanted[name])]
    assert not wrong, f"not bit for bit: {wrong}"


def program(like: Values) -> tuple[tf.train.Checkpoint, dict[str, tf.Variable]]:
    """A TF2 program with variables of these paths, shapes and dtypes, and none of these values."""
    model = tf.Module()
    variables = {}
    for path, value in like.items():
        dtype = tf.string if value.dtype == object else tf.as_dtype(value.dtype)
        variables[path] = tf.Variable(tf.zeros(value.shape, dtype))
        plant(model, path.removeprefix("model/").split("/"), variables[path])
    return tf.train.Checkpoint(model=model), variables


def assert_restores(prefix: Path, wanted: Values) -> None:
    checkpoint, variables = program(wanted)
    status = checkpoint.restore(str(prefix))
    status.assert_consumed()
    status.assert_existing_objects_matched()
    assert_same({path: variable.numpy() for path, variable in variables.items()}, wanted)


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str

    @property
    def notes(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("note: ")]

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("error: ")]


def ckptmap(*arguments: str | Path, through: tuple = (), **options) -> Done:
    """Runs the binary, whatever comes of it, possibly through another program."""
    command = [*through, options.pop("program", binary()), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
    return Done(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Old:
    """A TF1 checkpoint in a folder of its own, and its rules."""

    folder: Path
    values: Values

    @classmethod
    def make(cls, folder: Path, seed: int) -> "Old":
        folder.mkdir()
        save(folder / "old.ckpt", seed)
        for template, fill in FILL.items():
            (folder / f"rules-{template}.yaml").write_text(RULES + fill)
        return cls(folder, read(folder / "old.ckpt"))

    def copied(self, to: Path) -> "Old":
        """Files of its own; nothing else has a link to them."""
        return Old(Path(shutil.copytree(self.folder, to)), self.values)

    @property
    def prefix(self) -> Path:
        return self.folder / "old.ckpt"

    def rules(self, template: bool = False) -> Path:
        return self.folder / f"rules-{template}.yaml"

    @property
    def wanted(self) -> dict[str, np.ndarray]:
        return converted(self.values)

    def data(self) -> list[Path]:
        """The data files that values are taken over from; the third has dropped ones alone."""
        return data_files(self.prefix)[:2]

    def convert(self, to: Path, *flags: str | Path, rules: Path | None = None, **options) -> Done:
        rules = rules or self.rules()
        return ckptmap("convert", self.prefix, "--map", rules, "-o", to, *flags, **options)


def data_files(prefix: Path) -> list[Path]:
    return sorted(prefix.parent.glob(f"{prefix.name}.data-*"))


def inode(path: Path) -> tuple[int, int]:
    stat = path.lstat()
    return stat.st_dev, stat.st_ino


def facts(folder: Path) -> dict[str, tuple]:
    """Each file of a folder: which it is, whose, since when, and every byte. Not its links."""
    return {path.name: (fact(path), path.read_bytes()) for path in folder.iterdir()}


def fact(path: Path) -> tuple:
    stat = path.lstat()
    return (*inode(path), stat.st_mode, stat.st_uid, stat.st_gid, stat.st_mtime_ns)


def assert_linked(old: list[Path], new: Path) -> None:
    """The copy's first data files are these very files, and everything else is its own."""
    links, own = data_files(new)[: len(old)], data_files(new)[len(old) :]
    assert [fact(path) for path in links] == [fact(path) for path in old]
    assert {path.lstat().st_nlink for path in links} == {2}
    assert {path.lstat().st_nlink for path in [*own, Path(f"{new}.index")]} == {1}


def assert_copied(new: Path) -> None:
    files = [*data_files(new), Path(f"{new}.index")]
    assert {path.lstat().st_nlink for path in files} == {1}


def assert_nothing_left(folder: Path) -> None:
    """Neither a file, hidden or not, nor a directory that was not there."""
    assert not folder.exists() or os.listdir(folder) == []


@contextmanager
def damaged(files: list[Path], value: np.ndarray) -> Iterator[Path]:
    """For so long a bit of this value is another in the file that has it, which stays the same."""
    content = max(np.ravel(value), key=len) if value.dtype == object else value.tobytes()
    (file,) = [file for file in files if content in file.read_bytes()]
    at = file.read_bytes().index(content) + len(content) // 2
    invert(file, at)
    yield file
    invert(file, at)


def invert(path: Path, at: int) -> None:
    with open(path, "r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def blames(said: str) -> set[str]:
    """The variables whose data `check` or `convert` calls damaged."""
    return set(re.findall(r"the data of `(.+?)(?:/\.ATTRIBUTES/VARIABLE_VALUE)?` at byte", said))


SHARED = 0x2000


def blocks(path: Path) -> list[tuple[int, int, int, bool]]:
    """Where a file lies on its disk: from here, there, for so long, and whether not alone."""
    whole, request, first, each = (1 << 64) - 1, 0xC020660B, 32, 56
    # With a sync before, or there would be nothing yet.
    head = struct.pack("=QQLLLL", 0, whole, 1, 0, 32, 0)
    answer = bytearray(head + bytes(32 * each))
    with open(path, "rb") as file:
        fcntl.ioctl(file, request, answer)
    (count,) = struct.unpack_from("=L", answer, 20)
    extents = [struct.unpack_from("=QQQ16xL", answer, first + n * each) for n in range(count)]
    return [(at, there, size, bool(flags & SHARED)) for at, there, size, flags in extents]


# Small, but as large as they must be: nothing is written into most of it.
DISKS = {"xfs": "320M", "btrfs": "128M"}


@contextmanager
def disk(kind: str, folder: Path) -> Iterator[Path | None]:
    """A file system of this kind, where there are tools for it and mounting is permitted."""
    image, at = folder / f"{kind}.image", folder / kind
    at.mkdir()
    mounted = bool(shutil.which(f"mkfs.{kind}")) and make_disk(kind, image, at)
    try:
        yield at if mounted else None
    finally:
        if mounted:
            # A test that has failed may still have files open there.
            subprocess.run(["umount", "--lazy", at], check=True)
        image.unlink(missing_ok=True)


def make_disk(kind: str, image: Path, at: Path) -> bool:
    subprocess.run(["truncate", "-s", DISKS[kind], image], check=True)
    steps = [[f"mkfs.{kind}", "-q", image], ["mount", "-o", "loop", image, at]]
    return all(subprocess.run(step, capture_output=True).returncode == 0 for step in steps)


def can_share_blocks(kind: str) -> bool:
    """Tried out: a kernel may lack the file system, or a container the permission."""
    with tempfile.TemporaryDirectory() as folder, disk(kind, Path(folder)) as at:
        if at is None:
            return False
        (at / "a").write_bytes(bytes(1 << 16))
        clone = ["cp", "--reflink=always", at / "a", at / "b"]
        return subprocess.run(clone, capture_output=True).returncode == 0
