"""Runs what documents show: blocks of Python, shell, consoles and rule files, section by section.

A section is a story: its blocks run in the order they stand in, in one folder and one Python
namespace, after those that stand before the first section. What is there before, and what has to be
true afterwards, `stories.py` says. `DOCUMENTS=overwrite` takes over what consoles print.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from harness import binary

REPOSITORY = Path(__file__).resolve().parents[2]
# The chapters of which every block is run here.
WHOLE = ("cookbook.md", "outputs.md", "comparison.md")
ENVIRONMENTS = {"2.15", "2.21"}
# What is run of the others; their consoles are `cargo test`'s.
ELSEWHERE_RUN = ("python", "sh")
# Whether outputs that differ are taken over into the documents.
OVERWRITE = os.environ.get("DOCUMENTS") == "overwrite"


@dataclass(frozen=True)
class Block:
    document: Path
    section: str
    language: str
    text: str
    # Of its first line, for messages.
    line: int

    def __str__(self) -> str:
        return f"{self.document.name}:{self.line}"

    @property
    def first(self) -> str:
        return self.text.partition("\n")[0]


def documents() -> list[Path]:
    return [REPOSITORY / "README.md", *sorted((REPOSITORY / "src/guide").glob("*.md"))]


def blocks(document: Path) -> list[Block]:
    found: list[Block] = []
    section, fence, language, begun, inside = "", "", "", 0, []
    for number, line in enumerate(document.read_text().splitlines(), 1):
        opened = re.match(r"(```+)\s*(.*)", line)
        if fence:
            if opened and opened[1] == fence and not opened[2]:
                text = "".join(f"{one}\n" for one in inside)
                found.append(Block(document, section, language, text, begun))
                fence = ""
            else:
                inside.append(line)
        elif opened:
            fence, language, begun, inside = opened[1], opened[2], number + 1, []
        elif heading := re.match(r"##+ (.+)", line):
            section = heading[1].strip()
    assert not fence, f"{document.name}: the block at line {begun} has no end"
    return found


def text_of(document: str) -> str:
    return (REPOSITORY / "src/guide" / document).read_text()


def stretch(document: str, section: str, language: str) -> list[Block]:
    """The blocks of one language in a section of a document of the guide."""
    every = blocks(REPOSITORY / "src/guide" / document)
    return [one for one in every if (one.section, one.language) == (section, language)]


def elsewhere() -> set[tuple[str, str]]:
    """Blocks that are not run as they stand, by document and first line: `tests/documents.rs` has
    a table of them, which says what is done instead."""
    table = (REPOSITORY / "tests/documents.rs").read_text()
    table = table.partition("const ELSEWHERE")[2].partition("];")[0]
    text = r'"((?:[^"\\]|\\\n\s*)*)"'
    rows = re.findall(rf"\(\s*{text},\s*{text},\s*{text},?\s*\)", table)
    assert rows, "tests/documents.rs has no such table"
    return {(Path(document).name, re.sub(r"\\\n\s*", "", first)) for document, first, _ in rows}


def run_here(block: Block) -> bool:
    return block.document.name in WHOLE or block.language in ELSEWHERE_RUN


# What a story yields is in the namespace of its blocks; it goes on when they have run.
Told = Callable[[], Generator[dict, None, None]]


@dataclass(frozen=True)
class Story:
    """What surrounds the blocks of a section, or of a whole document."""

    document: str
    section: str | None
    told: Told
    # The environments it belongs to; all of them if none is named.
    only: tuple[str, ...]
    # Whether it begins anew with every section.
    each: bool

    def covers(self, block: Block) -> bool:
        here = self.document == block.document.name
        return here and self.section in (None, block.section)


STORIES: list[Story] = []


def story(
    section: str | None = None,
    *,
    document: str,
    only: tuple[str, ...] = (),
    each: bool = False,
):
    """Registers what surrounds the blocks of a section, or of those that have no other story."""
    assert set(only) < ENVIRONMENTS

    def register(told: Told) -> Told:
        STORIES.append(Story(document, section, told, only, each))
        return told

    return register


# The blocks that have been run.
RUN: set[Block] = set()


# As if it were installed.
sys.path.append(str(REPOSITORY / "src/python"))


class Differs(AssertionError):
    """A block does not do what it shows."""


def perform(block: Block, namespace: dict, folder: Path) -> None:
    runners = {"python": python, "sh": shell, "console": console, "yaml": file}
    if block.language not in runners:
        raise Differs(f"{block}: nothing runs a block of `{block.language}`")
    runners[block.language](block, namespace, folder)
    RUN.add(block)


def python(block: Block, namespace: dict, _: Path) -> None:
    # So that a traceback names the line of the document.
    code = compile("\n" * (block.line - 1) + block.text, str(block.document), "exec")
    exec(code, namespace)


def bash(commands: str, folder: Path) -> subprocess.CompletedProcess:
    # As the reader has it: under its name on the path, without colours.
    search = f"{binary_folder()}:{Path(sys.executable).parent}:/usr/bin:/bin"
    return subprocess.run(
        ["bash", "-euc", commands],
        cwd=folder,
        env={"PATH": search, "HOME": str(folder), "LC_ALL": "C.UTF-8", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )


def binary_folder() -> Path:
    """Where the binary under test is called `ckptmap`."""
    assert binary().name == "ckptmap", "CKPTMAP must name a file that is called ckptmap"
    return binary().parent


def shell(block: Block, _: dict, folder: Path) -> None:
    done = bash(block.text, folder)
    if done.returncode:
        raise Differs(f"{block}: exit status {done.returncode}\n{done.stdout}")


def file(block: Block, _: dict, folder: Path) -> None:
    """Its first line is a comment with its name."""
    name = re.fullmatch(r"# ([\w./-]+)", block.first)
    if not name:
        raise Differs(f"{block}: the first line names no file, as `# rules.yaml` does")
    path = folder / name[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    # With that line, so that lines in messages are those of the block.
    path.write_text(block.text)


def console(block: Block, _: dict, folder: Path) -> None:
    for at, (command, status, shown) in enumerate(commands(block)):
        done = bash(command, folder)
        if done.returncode != status:
            raise Differs(f"{block}: {command}\nexit status {done.returncode}\n{done.stdout}")
        if matches(shown, done.stdout):
            continue
        if not OVERWRITE:
            raise Differs(f"{block}: {command}\nshown:\n{shown}\nprinted:\n{done.stdout}")
        overwrite(block, at, done.stdout)


def overwrite(block: Block, at: int, printed: str) -> None:
    """Takes over what a command of a block printed; whoever reads the difference judges it."""
    text = block.document.read_text()
    begun = text.index(f"# {block.section}\n") if block.section else 1
    # Of the same words, only those of the section; earlier commands have been taken over already.
    for line in [f"$ {command}".replace("\n", "\n> ") for command, *_ in commands(block)][: at + 1]:
        begun = text.index(f"\n{line}\n", begun - 1) + len(line) + 2
    if told := re.compile(r"\? \d+\n").match(text, begun):
        begun = told.end()
    shown = commands(block)[at][2]
    assert text.startswith(shown, begun), f"{block}: changed meanwhile"
    kept = text[begun + len(shown) :]
    added = f"{printed.rstrip()}\n" if printed.strip() else ""
    block.document.write_text(text[:begun] + added + kept.removeprefix("\n" if shown else ""))


def commands(block: Block) -> list[tuple[str, int, str]]:
    """Each command with its exit status and what it prints."""
    found: list[tuple[str, int, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], 0, []))
            continue
        if not found:
            raise Differs(f"{block}: begins without a command")
        command, status, shown = found[-1]
        if line.startswith("> ") and not shown:
            found[-1] = (f"{command}\n{line[2:]}", status, shown)
        elif (told := re.fullmatch(r"\? (\d+)", line)) and not shown:
            found[-1] = (command, int(told[1]), shown)
        else:
            shown.append(line)
    return [(command, status, "\n".join(shown)) for command, status, shown in found]


def matches(shown: str, printed: str) -> bool:
    """`[..]` stands for anything within a line, a line `...` for lines."""
    lines = [line.rstrip() for line in shown.rstrip().splitlines()]
    pattern = ""
    for line in lines:
        if line == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(map(re.escape, line.split("[..]"))) + r"[ ]*\n"
    return re.fullmatch(pattern, f"{printed.rstrip()}\n" if printed.strip() else "") is not None


def census() -> list[str]:
    """How many blocks of each document and language have been run."""
    counts = Counter((block.document.name, block.language) for block in RUN)
    names, languages = (sorted(set(column)) for column in zip(*counts, strict=True))
    rows = [["document", *languages]]
    rows += [[name, *(str(counts[name, language]) for language in languages)] for name in names]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
