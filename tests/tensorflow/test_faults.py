"""The file system may refuse any call: then nothing is changed, and it is said why."""

import os
import re
import resource
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from crashes import (
    CALLS,
    FIRST_LISTED,
    FRESH,
    LINKED,
    LISTED,
    OVER_ONE,
    READS,
    Ended,
    Material,
    Stage,
    ended,
)

pytestmark = pytest.mark.only("2.15")
each_scenario = pytest.mark.parametrize(
    "scenario", [FRESH, OVER_ONE, FIRST_LISTED, LISTED, LINKED], ids=lambda scenario: scenario.name
)
# What nobody may pass over in silence.
GRAVE = {"write", "fsync", "rename", "unlink", "mkdir"}
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Fault:
    call: str
    error: str
    # The refused call as strace shows it.
    line: str
    done: Ended

    def concerns(self, folder: Path) -> bool:
        return str(folder) in self.line


def each_fault(stage: Stage, kinds: list[str], errors: list[str]) -> Iterator[Fault]:
    """A conversion for every call of these kinds that one makes, and every error it may get."""
    for call in stage.calls(kinds):
        for error in errors:
            for number in count(1):
                stage.begin()
                refuse = f"inject={call}:error={error}:when={number}"
                done = stage.traced("-e", f"trace={call}", "-e", refuse)
                refused = [line for line in done.calls if "(INJECTED)" in line]
                if not refused:
                    break
                yield Fault(call, error, refused[0], done)


def outcome(stage: Stage, done: Ended) -> str:
    """What a conversion came to that was refused something; it must be clean and clear."""
    if done.status == 0:
        stage.assert_done()
        return "done all the same"
    assert done.status == 2, done
    errors = [line for line in done.said.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done
    # It names a file and gives the system's own words.
    assert re.search(r"`/[^`]+`: [^`]+ \(os error \d+\)$", errors[0]), errors
    if stage.found() == "new":
        assert "is complete" in errors[0]
        assert not stage.strays()
        return "complete and not listed"
    stage.assert_untouched()
    return "nothing changed"


def outcome_of_fault(stage: Stage, fault: Fault) -> str:
    done = fault.done
    if not fault.concerns(stage.work) and not fault.concerns(stage.material.folder):
        return outcome_elsewhere(stage, done)
    if fault.call == "unlink" and done.status == 0 and stage.strays():
        assert stage.found() == "new"
        assert "note: cannot remove" in done.said
        return "left behind, and noted"
    result = outcome(stage, done)
    if done.status == 0 and fault.error == "EINTR":
        return "done after a second try"
    if done.status == 0 and fault.call in GRAVE:
        assert "note: " in done.said, fault
        return "done, and noted"
    return result


def outcome_elsewhere(stage: Stage, done: Ended) -> str:
    """Calls of the dynamic loader and of messages: what is said is not ours or cannot be said."""
    if done.status == 0 or stage.found() == "new":
        stage.assert_done()
    else:
        stage.assert_untouched()
    return "no file of ours"


@each_scenario
def test_every_call_refused(scenario, small, tmp_path, announce):
    stage, seen = Stage(scenario, small, tmp_path), Counter()
    for fault in each_fault(stage, CALLS, ["ENOSPC", "EIO", "EACCES", "EDQUOT", "EINTR"]):
        seen[outcome_of_fault(stage, fault)] += 1
    announce(f"refused calls: {seen.total()}, {dict(seen)}")
    assert seen["nothing changed"] and seen["done all the same"]


@each_scenario
def test_every_read_refused(scenario, small, tmp_path, announce):
    stage, seen = Stage(scenario, small, tmp_path), Counter()
    for fault in each_fault(stage, READS, ["EIO", "EACCES"]):
        result = outcome_of_fault(stage, fault)
        if fault.concerns(small.folder):
            result = f"source: {result}"
            assert_source_is_blamed(fault)
        seen[result] += 1
    announce(f"refused reads: {seen.total()}, {dict(seen)}")
    assert seen["source: nothing changed"]


def assert_source_is_blamed(fault: Fault) -> None:
    (path,) = set(re.findall(r'[<"](/[^">]+)', fault.line.split("(", 1)[1])) - {os.getcwd()}
    # Where a path is resolved, a folder is looked at for the sake of a file in it.
    assert re.search(rf"`{re.escape(path)}(/[^`]+)?`", fault.done.said), fault
    # Without the graph of a source, which has none here, conversions go on.
    assert fault.done.status == 2 or path.endswith(".meta"), fault


@contextmanager
def disk(at: Path) -> Iterator[bool]:
    """Mounts one of its own, where that is permitted."""
    at.mkdir()
    mount = ["mount", "-t", "tmpfs", "tmpfs", at]
    mounted = subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            # A test that has failed may still have files open there.
            subprocess.run(["umount", "--lazy", at], check=True)


def leave_room(at: Path, pages: str, files: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={pages},nr_inodes={files}", at], check=True)


def limit(at: Path, what: str, room: int) -> None:
    """Leaves room for so many more pages or files. No room at all would be no limit at all."""
    found = os.statvfs(at)
    if what == "pages":
        used = (found.f_blocks - found.f_bfree) * found.f_frsize // PAGE
        leave_room(at, f"{max(1, used + room) * PAGE}", "1000")
    else:
        leave_room(at, "64m", f"{found.f_files - found.f_ffree + room}")


@each_scenario
@pytest.mark.parametrize("what", ["pages", "files"])
def test_full_disk(what, scenario, tmp_path, announce):
    with disk(tmp_path / "disk") as mounted:
        if not mounted:
            announce("mounting is not permitted: full disks are not tested, the limit of sizes is")
            return
        # On the same disk, or there would be no links.
        material = Material.make(tmp_path / "disk" / "material", layers=3, width=128)
        stage, seen = Stage(scenario, material, tmp_path, tmp_path / "disk"), Counter()
        for room in count():
            leave_room(tmp_path / "disk", "64m", "1000")
            stage.begin()
            limit(tmp_path / "disk", what, room)
            done = ended(stage.command)
            seen[outcome(stage, done)] += 1
            if done.status == 0:
                break
        announce(f"a disk with room for 0 to {room} {what}: {dict(seen)}")
        assert seen["nothing changed"]


@each_scenario
def test_limited_file_size(scenario, small, tmp_path, announce):
    stage, seen = Stage(scenario, small, tmp_path), Counter()
    if scenario is LISTED:
        make_list_long(stage.start)
    sizes = {size + more for size in sizes_of_a_result(stage) for more in (-1, 0)}
    for size in sorted({*sizes, *range(0, max(sizes), 100)}):
        stage.begin()
        done = ended(stage.command, preexec_fn=partial(limit_files, size))
        seen[outcome(stage, done)] += 1
    announce(f"files of 0 to {max(sizes)} bytes: {dict(seen)}")
    assert seen["nothing changed"] and done.status == 0


def limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def make_list_long(directory: Path) -> None:
    """Longer than any other file, so that it can be the only one that is refused."""
    checkpoint = directory / "checkpoint"
    text = checkpoint.read_text()
    paths = (f'all_model_checkpoint_paths: "gone-{n:03}.ckpt"\n' for n in range(100))
    checkpoint.write_text("".join([*paths, text]))


def sizes_of_a_result(stage: Stage) -> list[int]:
    stage.begin()
    assert ended(stage.command).status == 0
    stage.assert_done()
    return [entry.stat().st_size for entry in os.scandir(stage.work)]
