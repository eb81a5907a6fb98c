"""Whatever documents show has been run, and does what it shows."""

import os
from pathlib import Path

import pytest

import stories  # noqa: F401
from documents import (
    STORIES,
    WHOLE,
    Block,
    Differs,
    Story,
    blocks,
    commands,
    documents,
    elsewhere,
    matches,
    overwrite,
    perform,
    run_here,
)
from families import KERAS
from harness import binary

BLOCKS = [block for document in documents() for block in blocks(document)]
OURS = [block for block in BLOCKS if run_here(block)]


def story_of(block: Block) -> Story | None:
    """The one that says most of where it belongs."""
    found = [one for one in STORIES if one.covers(block)]
    return max(found, key=lambda one: one.section is not None, default=None)


def beginning_of(those: list[Block]) -> list[Block]:
    """What the document says before its first section, unless that is one of these."""
    document = those[0].document
    return [one for one in OURS if one.document == document and is_before(one) and one not in those]


def is_before(block: Block) -> bool:
    return block.document.name in WHOLE and not block.section


def told() -> list:
    """Each story with its blocks, in the order of the documents."""
    parts: dict[tuple, list[Block]] = {}
    for block in OURS:
        one = story_of(block)
        if one is not None and not is_before(block):
            section = block.section if one.section or one.each else "all of it"
            parts.setdefault((block.document.stem, section, one), []).append(block)
    return [
        pytest.param(
            one,
            those,
            id=f"{document}: {section}",
            marks=[pytest.mark.only(*one.only)] if one.only else [],
        )
        for (document, section, one), those in parts.items()
    ]


@pytest.mark.parametrize(("story", "those"), told())
def test_story(story, those, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{binary().parent}:{os.environ['PATH']}")
    KERAS.backend.clear_session()
    telling = story.told()
    namespace = {"__name__": "__main__"} | (next(telling) or {})
    for block in beginning_of(those) + those:
        perform(block, namespace, tmp_path)
    # What it asserts of what there is now.
    with pytest.raises(StopIteration):
        telling.send(namespace)


def test_no_block_is_left_out():
    """A block runs here, or it is told where it does."""
    without = [
        f"{block} ({block.language}, in `{block.section}`)"
        for block in OURS
        if not (story_of(block) or is_before(block))
        and (block.document.name, block.first) not in elsewhere()
    ]
    assert not without, f"nothing runs these: {without}"


def test_no_story_is_left_over():
    unused = [
        f"{one.document}: {one.section}"
        for one in STORIES
        if not any(story_of(block) is one for block in OURS)
    ]
    assert not unused, f"no block belongs to these: {unused}"


def test_what_is_whole_is_there():
    assert {document.name for document in documents()} >= set(WHOLE)


def block(language: str, text: str) -> Block:
    return Block(Path("document.md"), "section", language, text, 10)


MISTAKES = {
    "a failing assertion": block("python", "assert 1 == 2\n"),
    "a name that is nowhere": block("python", "nobody\n"),
    "a failing command in the middle": block("sh", "false\ntrue\n"),
    "another exit status": block("console", "$ ckptmap list nothing\n"),
    "no failure where one is shown": block("console", "$ true\n? 1\n"),
    "other output": block("console", "$ echo one\ntwo\n"),
    "more output": block("console", "$ printf 'one\\ntwo\\n'\none\n"),
    "less output": block("console", "$ echo one\none\ntwo\n"),
    "output where none is shown": block("console", "$ echo one\n"),
    "a rule file without a name": block("yaml", "version: 1\n"),
    "a language that nothing runs": block("ruby", "puts 1\n"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_wrong_is_found(mistake, tmp_path):
    with pytest.raises((Differs, AssertionError, NameError)):
        perform(MISTAKES[mistake], {}, tmp_path)


def test_wildcards():
    assert matches("a [..] c\n...\nz", "a b c\nd\ne\nz\n")
    assert matches("a\n...\nz", "a\nz\n")
    assert not matches("a [..] c", "a b\nc\n")
    assert not matches("a\n...\nz", "a\nb\n")


def test_commands():
    shown = block("console", "$ one\n> two\n? 2\nsaid\n\n$ three\n")
    assert commands(shown) == [("one\ntwo", 2, "said\n"), ("three", 0, "")]


def test_blocks(tmp_path):
    document = tmp_path / "document.md"
    document.write_text("# Title\n## One\n```sh\n# no heading\n```\n### Two\n````text\n```\n````\n")
    found = [(b.section, b.language, b.text, b.line) for b in blocks(document)]
    assert found == [("One", "sh", "# no heading\n", 4), ("Two", "text", "```\n", 8)]


def test_taking_over(tmp_path):
    """Only of the block that was run, though another one begins alike."""
    document = tmp_path / "document.md"
    fence = "```console\n$ echo one\n{}$ echo two\n{}```\n"
    text = f"## One\n{fence}## Two\n{fence}"
    document.write_text(text.format("", "", "old\n", ""))
    second = blocks(document)[1]
    overwrite(second, 0, "one\n")
    overwrite(second, 1, "two\n")
    assert document.read_text() == text.format("", "", "one\n", "two\n")
