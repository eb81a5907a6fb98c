"""Nothing is skipped here, and nothing runs without its subject."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What the fixtures' generator knows of checkpoints, these tests need not repeat.
sys.path.append(str(ROOT / "testdata"))
pytest.register_assert_rewrite("runs")

from runs import Runs, program  # noqa: E402


def pytest_configure():
    try:
        program()
    except RuntimeError as missing:
        raise pytest.UsageError(str(missing)) from None


@pytest.fixture
def runs(tmp_path) -> Runs:
    made = Runs(tmp_path)
    made.write()
    return made


@pytest.fixture
def announce(capsys):
    """Says something even when the test passes."""

    def say(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}", end="")

    return say


@pytest.fixture
def shown():
    """Whether the chapter on batches shows exactly this file."""

    def is_shown(file: Path) -> bool:
        return f"\n{file.read_text()}```\n" in (ROOT / "src/guide/batch.md").read_text()

    return is_shown
