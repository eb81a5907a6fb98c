"""All or nothing: killed or interrupted at any time, nothing is lost or mixed."""

import random
import shutil
import signal
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from crashes import CALLS, FRESH, LINKED, LISTED, OVER_ONE, SCENARIOS, Material, Stage
from harness import binary, run

pytestmark = pytest.mark.only("2.15")
# For each of three destinations, so 201 in all.
KILLS = 67
# For each of three conversions, so 60 of each signal.
SIGNALS = 20


def each(*scenarios):
    return pytest.mark.parametrize("scenario", scenarios, ids=lambda scenario: scenario.name)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Conversions that last long enough to be hit; nobody wants to keep their files."""
    folder = tmp_path_factory.mktemp("large")
    yield Material.make(folder / "material", layers=30, width=512)
    shutil.rmtree(folder)


@pytest.fixture
def stage(scenario, large, tmp_path):
    folder = tmp_path / "stage"
    folder.mkdir()
    yield Stage(scenario, large, folder)
    shutil.rmtree(folder)


def at_random_moments(stage: Stage, number: int, times: int) -> Iterator[int]:
    """Exit statuses of as many conversions that this signal hit, right after each."""
    duration, rng = typical_duration(stage), random.Random(number)
    while times:
        stage.begin()
        process = subprocess.Popen([binary(), *stage.command, "-q"], stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0, duration))
        times -= process.poll() is None
        process.send_signal(number)
        yield process.wait(60)


def typical_duration(stage: Stage) -> float:
    def once() -> float:
        stage.begin()
        begun = time.monotonic()
        run(*stage.command, "-q")
        return time.monotonic() - begun

    return statistics.median(once() for _ in range(5))


# strace counts calls thread by thread: of two threads at the same number, one dies first.
@each(*SCENARIOS)
def test_killed_at_every_call(scenario, small, tmp_path, announce):
    stage = Stage(scenario, small, tmp_path)
    calls, seen = stage.calls(CALLS), Counter()
    for call in calls:
        for number in range(1, 1000):
            stage.begin()
            kill = f"inject={call}:signal=KILL:when={number}"
            status = stage.traced("-e", f"trace={call}", "-e", kill).status
            if status == 0:
                break
            assert status == -signal.SIGKILL
            seen[stage.found()] += 1
            stage.assert_repaired()
    announce(f"calls of a whole run: {dict(calls)}")
    announce(f"kills: {seen.total()}, after which the checkpoint was {dict(seen)}")
    assert len(seen) == 2, "every kill fell on one side of the commit"


@each(FRESH, OVER_ONE, LISTED)
def test_killed_at_random_moments(stage, announce):
    seen = Counter()
    for status in at_random_moments(stage, signal.SIGKILL, KILLS):
        if status == 0:
            seen["too late"] += 1
            stage.assert_done()
        else:
            assert status == -signal.SIGKILL
            seen[stage.found()] += 1
            stage.assert_repaired()
    announce(f"kills at random moments, by the checkpoint that was there: {dict(seen)}")


@each(FRESH, OVER_ONE, LINKED)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_interrupted_at_random_moments(stage, number, announce):
    seen = Counter()
    for status in at_random_moments(stage, number, SIGNALS):
        if status == 0:
            seen["too late"] += 1
            stage.assert_done()
        else:
            # The second is what comes of a signal before anybody listens.
            assert status in (128 + number, -number)
            seen["stopped" if status > 0 else "not begun"] += 1
            stage.assert_untouched()
    announce(f"{number.name} at random moments: {dict(seen)}")
    assert seen["stopped"]
