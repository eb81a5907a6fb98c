"""All or nothing: killed before any call that touches the file system, nothing is lost or mixed."""

import re
import shutil
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import tensorflow as tf

from harness import TESTDATA, binary, convert

CASE = TESTDATA / "conv3"
PREFIX = "new.ckpt"
OLD_RULES, NEW_RULES = CASE / "rules-keras2.yaml", CASE / "rules-swapped.yaml"
# Whatever can change a file, a directory, or what survives of them.
CALLS = [
    *("openat", "openat2", "creat", "ftruncate", "truncate", "fallocate", "flock"),
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "copy_file_range", "sendfile"),
    *("fsync", "fdatasync", "sync_file_range", "syncfs"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
    *("unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "fchmod", "fchmodat", "chmod"),
]


# strace counts calls thread by thread: of two threads at the same number, one dies first.
def traced(directory: Path, *options: str) -> int:
    """The exit status of a conversion into `directory` under strace."""
    command = [binary(), "convert", CASE / "model.ckpt", "--map", NEW_RULES]
    command += ["-o", directory / PREFIX, "--force", "-q"]
    done = subprocess.run(["strace", "-f", *options, *command], capture_output=True, timeout=60)
    return done.returncode


def calls_of_a_run(directory: Path, log: Path) -> Counter[str]:
    assert traced(directory, "-o", str(log), "-e", f"trace={','.join(CALLS)}") == 0
    return Counter(re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE))


def content(directory: Path) -> dict[str, bytes] | None:
    """What TensorFlow reads, or nothing at all."""
    if not (directory / f"{PREFIX}.index").exists():
        return None
    reader = tf.train.load_checkpoint(str(directory / PREFIX))
    # The graph may be laid out differently; the values may not.
    names = set(reader.get_variable_to_shape_map()) - {"_CHECKPOINTABLE_OBJECT_GRAPH"}
    return {name: reader.get_tensor(name).tobytes() for name in names}


def assert_nothing_stray(directory: Path) -> None:
    names = sorted(entry.name for entry in directory.iterdir())
    shards = [name for name in names if ".data-" in name]
    count = int(shards[0].rsplit("-", 1)[1])
    wanted = [f"{PREFIX}.data-{n:05}-of-{count:05}" for n in range(count)] + [f"{PREFIX}.index"]
    assert names == sorted(wanted)


@pytest.mark.only("2.15")
@pytest.mark.parametrize("conversions", [0, 1, 2], ids=["fresh", "over one", "over a replaced one"])
def test_killed_anywhere(conversions, tmp_path, announce):
    start, work = tmp_path / "start", tmp_path / "work"
    start.mkdir()
    for _ in range(conversions):
        convert(CASE / "model.ckpt", OLD_RULES, start / PREFIX, "--force")
    before = content(start)

    def begin() -> None:
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(start, work)

    begin()
    calls = calls_of_a_run(work, tmp_path / "log")
    after = content(work)
    assert after is not None and after != before
    assert_nothing_stray(work)

    seen = Counter()
    for call in calls:
        for number in range(1, 1000):
            begin()
            kill = f"inject={call}:signal=KILL:when={number}"
            status = traced(work, "-o", "/dev/null", "-e", f"trace={call}", "-e", kill)
            if status == 0:
                break
            assert status == -signal.SIGKILL
            found = content(work)
            assert found in (before, after), f"neither old nor new: killed at {call} {number}"
            seen["new" if found == after else "old"] += 1
            convert(CASE / "model.ckpt", NEW_RULES, work / PREFIX, "--force")
            assert content(work) == after, f"not repaired: killed at {call} {number}"
            assert_nothing_stray(work)
    announce(f"calls of a whole run: {dict(calls)}")
    announce(f"kills: {seen.total()}, after which the checkpoint was {dict(seen)}")
    assert seen["new"] and seen["old"], "every kill fell on one side of the commit"
