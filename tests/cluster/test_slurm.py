"""The guide's script in a real Slurm: everything is converted, each by one task, and once."""

import os
from collections import Counter
from pathlib import Path

import pytest

from runs import program
from slurm import Slurm

SCRIPT = Path(__file__).with_name("convert.sbatch")
# What the script itself says, and an array that begins elsewhere and has a step.
ARRAYS = {"0-3": ([], range(4)), "10-16:2": (["--array=10-16:2"], range(10, 17, 2))}
each_array = pytest.mark.parametrize("array", ARRAYS)
# So many times its part of the bytes may be in one task's share.
LEAST, MOST = 0.8, 1.25


@pytest.fixture(scope="module")
def slurm():
    # As many processors as all tasks of an array want at once.
    with Slurm(cpus=8) as slurm:
        yield slurm


@pytest.fixture
def submit(slurm, runs, tmp_path_factory):
    """Runs the script among the checkpoints, and waits: exit codes, by the number of the task."""
    # The script finds `ckptmap` where its user has it: on the PATH.
    programs = tmp_path_factory.mktemp("bin")
    (programs / "ckptmap").symlink_to(program())
    path = {"PATH": f"{programs}:{os.environ['PATH']}"}

    def run(*options: str, tasks) -> tuple[str, dict[int, str]]:
        job = slurm.submit(SCRIPT, *options, cwd=runs.folder, env=path)
        return job, exit_codes(slurm.wait(job, tasks))

    return run


def exit_codes(tasks) -> dict[int, str]:
    return {number: task["ExitCode"] for number, task in tasks.items()}


def logs(runs) -> str:
    return "\n".join(file.read_text() for file in sorted(runs.folder.glob("convert-*.log")))


@each_array
def test_every_checkpoint_is_converted_once(array, submit, runs, announce):
    options, tasks = ARRAYS[array]
    _, codes = submit(*options, tasks=tasks)
    assert codes == {number: "0:0" for number in tasks}, logs(runs)
    reports = {number: runs.report(number) for number in tasks}
    told = [source for report in reports.values() for source in report]
    assert sorted(told) == sorted(runs.outputs), "not each by one task"
    assert runs.merged(tasks) == {source: "converted" for source in runs.outputs}
    runs.assert_converted()
    part = runs.size(runs.outputs) / len(tasks)
    shares = [runs.size(report) / part for report in reports.values()]
    counts = ", ".join(f"{len(report)}" for report in reports.values())
    announce(f"{array}: {counts} checkpoints, {', '.join(f'{s:.2f}' for s in shares)} of a quarter")
    assert LEAST <= min(shares) and max(shares) <= MOST


def test_a_requeued_task_finds_its_own_share_done(slurm, submit, runs):
    job, _ = submit(tasks=range(4))
    reports, before = [runs.report(number) for number in range(4)], runs.snapshot()
    slurm.scontrol("requeue", f"{job}_2")
    slurm.until("requeued", lambda: slurm.tasks(job).get(2, {}).get("Restarts") == "1")
    assert exit_codes(slurm.wait(job, range(4))) == {number: "0:0" for number in range(4)}
    assert runs.report(2) == {source: "unchanged" for source in reports[2]}
    assert runs.snapshot() == before
    merged = Counter(runs.merged(range(4)).values())
    assert merged == {"converted": 200 - len(reports[2]), "unchanged": len(reports[2])}


@pytest.mark.parametrize("array", ["2", "1,3"])
def test_a_part_of_an_array_is_not_taken_for_all_of_it(array, submit, runs):
    """To Slurm, a task that is submitted alone is the first of one, and a list has no step."""
    tasks = list(map(int, array.split(",")))
    _, codes = submit(f"--array={array}", tasks=tasks)
    assert codes == {number: "2:0" for number in tasks}, logs(runs)
    assert "--shard" in logs(runs)
    assert not (runs.folder / "converted").exists()
    assert not (runs.folder / "reports").exists()


def test_a_damaged_checkpoint_fails_its_task_alone(submit, runs):
    damaged = list(runs.outputs)[77]
    data = Path(f"{damaged}.data-00000-of-00001")
    whole = data.read_bytes()
    data.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    _, codes = submit(tasks=range(4))
    (blamed,) = (number for number in range(4) if damaged in runs.report(number))
    assert codes == {number: "1:0" if number == blamed else "0:0" for number in range(4)}
    found = runs.merged(range(4), status=1)
    assert found == {s: "failed" if s == damaged else "converted" for s in runs.outputs}
    data.write_bytes(whole)
    _, codes = submit(tasks=range(4))
    assert codes == {number: "0:0" for number in range(4)}, logs(runs)
    found = runs.merged(range(4))
    assert found == {s: "converted" if s == damaged else "unchanged" for s in runs.outputs}
    runs.assert_converted()


def test_the_guide_shows_this_script(shown):
    assert shown(SCRIPT)
