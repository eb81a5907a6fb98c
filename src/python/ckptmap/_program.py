"""Finds the program and runs it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Optional

from ._arguments import Path as AnyPath
from ._errors import Error
from ._version import __version__

#: What names another program than the one that was installed with the package.
VARIABLE = "CKPTMAP"

NAME = "ckptmap.exe" if os.name == "nt" else "ckptmap"


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    status: int
    #: On standard output.
    text: str
    #: On standard error.
    messages: str
    #: The answer in JSON, if there was one.
    document: Optional[dict[str, Any]]

    @property
    def error(self) -> str:
        """The messages as the text of an exception, whose own name says that it is an error."""
        said, word = self.messages.strip("\n"), "error: "
        if said.startswith(word) and f"\n{word}" not in said:
            return said.removeprefix(word)
        return said or f"ckptmap ended with status {self.status} and did not say why"


def _installed() -> Iterator[Path]:
    """Where installers put programs, seen from the package."""
    site = Path(__file__).resolve().parents[1]
    # `pip install --target`.
    yield from (site / "bin", site / "Scripts")
    if site.name in ("site-packages", "dist-packages"):
        # `lib/python3/site-packages` of an environment, of `--user` or of `--prefix`.
        yield site.parents[2] / "bin"
        yield from (site.parents[1] / "Scripts", site.parent / "Scripts")
        yield Path(sysconfig.get_path("scripts"))


def find() -> str:
    """The program: the one that ``CKPTMAP`` names, the package's own, or the one on ``PATH``."""
    named = os.environ.get(VARIABLE)
    if named:
        if not os.path.isfile(named):
            raise Error(f"the environment variable {VARIABLE} names no file: `{named}`")
        return _checked(named)
    for directory in _installed():
        program = directory / NAME
        if program.is_file():
            return _checked(str(program))
    on_path = shutil.which(NAME)
    if on_path is None:
        raise Error(
            "the program `ckptmap` was found neither beside the package nor on PATH: install the "
            f"package again, or name the program in the environment variable {VARIABLE}"
        )
    return _checked(on_path)


def _checked(program: str) -> str:
    """The program, if it is of the package's version."""
    # As long as the file stays the same, it need not be asked again.
    version = _version(program, os.stat(program).st_mtime_ns)
    if version != __version__:
        raise Error(
            f"the package is ckptmap {__version__}, but the program `{program}` is {version}: "
            f"install the same version of both, or set {VARIABLE} to the right program"
        )
    return program


@lru_cache(maxsize=8)
def _version(program: str, _changed: int) -> str:
    try:
        done = subprocess.run(
            [program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Error(f"`{program}` does not run: {error}") from error
    words = done.stdout.decode("utf-8", "replace").split()
    if done.returncode != 0 or len(words) != 2 or words[0] != "ckptmap":
        raise Error(f"`{program}` is not ckptmap: it does not tell its version")
    return words[1]


@contextmanager
def scratch(directory: Optional[AnyPath] = None) -> Iterator[str]:
    """A temporary directory, which goes also if Ctrl-C comes while it is being removed: to remove
    gigabytes takes a while."""
    place = tempfile.mkdtemp(prefix="ckptmap-", dir=directory)
    try:
        yield place
    finally:
        try:
            shutil.rmtree(place)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise


def run(*arguments: str) -> Answer:
    """Runs a command to its end. Ctrl-C ends the command first, which cleans up behind itself."""
    program = find()
    # Files hold any amount, and nobody has to read them while the command runs.
    with scratch() as place:
        paths = {name: os.path.join(place, name) for name in ("answer", "messages", "json")}
        command = [program, *arguments[:1], f"--json-file={paths['json']}", *arguments[1:]]
        with open(paths["answer"], "wb") as answer, open(paths["messages"], "wb") as messages:
            status = _run(command, answer, messages)
        document = None
        if os.path.exists(paths["json"]):
            with open(paths["json"], "rb") as file:
                document = json.load(file)
        return Answer(status, _read(paths["answer"]), _read(paths["messages"]), document)


def _run(command: Sequence[str], answer: Any, messages: Any) -> int:
    try:
        # In a session of its own it hears of Ctrl-C from us only, and once: it takes a second one
        # for haste and leaves without cleaning up.
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=messages,
            env=_environment(),
            start_new_session=True,
        )
    except OSError as error:
        raise Error(f"`{command[0]}` does not run: {error}") from error
    except ValueError as error:
        # A character 0, or half of a surrogate pair: the program's words have neither.
        raise Error(f"a path or a name cannot be handed to the program: {error}") from error
    try:
        return child.wait()
    except BaseException:
        _interrupt(child)
        raise


def _interrupt(child: subprocess.Popen[bytes]) -> None:
    """Ends it, and waits until it has cleaned up; who is in haste interrupts again."""
    try:
        child.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        child.wait()
    except BaseException:
        child.kill()
        child.wait()
        raise


def _environment() -> dict[str, str]:
    """Lines of any length: what is read here is no terminal."""
    return {name: value for name, value in os.environ.items() if name != "COLUMNS"}


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
