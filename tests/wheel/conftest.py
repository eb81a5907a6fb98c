"""A wheel, built once, and Pythons that have it."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, status: int = 0, **options) -> str:
    """Runs a command, which must exit as it should, and gives all that it said."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=900, **options)
    said = f"{done.stdout}{done.stderr}"
    assert done.returncode == status, f"{' '.join(words)}\nexit status {done.returncode}\n{said}"
    return said


def tool(name: str) -> Path:
    """A program of this environment."""
    return Path(sys.executable).parent / name


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """In the dev profile: for what is in it, and where that goes, speed does not matter."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--profile", "dev", "--compatibility", "linux", "--out", folder)
    run(tool("maturin"), "build", "--quiet", *options, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def sdist(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    run(tool("maturin"), "sdist", "--out", folder, cwd=ROOT)
    (built,) = folder.glob("*.tar.gz")
    return built


@dataclass(frozen=True)
class Installed:
    """A Python that has the wheel and nothing else."""

    python: Path
    # Where it was put, for those that do not look there.
    path: Path | None = None

    def run(self, *arguments: str | Path) -> str:
        # No other ckptmap can be meant.
        environment = {"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"]}
        if self.path:
            environment["PYTHONPATH"] = str(self.path)
        return run(self.python, *arguments, cwd=ROOT, env=environment)

    def says(self, code: str) -> str:
        return self.run("-c", f"import ckptmap; {code}").strip()


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Path:
    """A Python without anything."""
    folder = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", folder)
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def install(wheel, fresh) -> Callable[..., None]:
    """On its own: nothing is fetched, and nothing is needed."""

    def install(*options: str | Path) -> None:
        pip = ("-m", "pip", "install", "--quiet", "--no-index", "--no-deps")
        run(fresh, *pip, *options, wheel)

    return install


@pytest.fixture(scope="session")
def installed(install, fresh) -> Installed:
    install()
    return Installed(fresh)
