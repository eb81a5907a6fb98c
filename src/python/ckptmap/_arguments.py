"""Python's arguments as the command line has them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

#: A file, or what names one: ``s3://bucket/old/model.ckpt``, ``builtin:bert-hf``.
Path = Union[str, "os.PathLike[str]"]

#: ``True`` for "where it can be had", ``"require"`` for an error otherwise.
Sharing = Union[bool, str]

Option = Union[None, bool, str, int, float, Path, Sequence[str]]


def named(path: Path) -> str:
    """A path as text. Nothing is made of it that is not there: buckets have paths of their own."""
    return os.fspath(path)


def pairs(values: Optional[Mapping[str, Any]]) -> list[str]:
    """``NAME=VALUE`` for each of them, numbers and truth as YAML has them."""
    return [f"{name}={_word(value)}" for name, value in (values or {}).items()]


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def options(**values: Option) -> list[str]:
    """Those that say something, as ``--name=value``: a value may begin with a dash.

    >>> options(force=True, keep_names=False, set=["a=1", "b=2"], memory=None)
    ['--force', '--set=a=1', '--set=b=2']
    """
    found: list[str] = []
    for name, value in values.items():
        # Python has `for` and `map` as words of its own.
        flag = f"--{name.strip('_').replace('_', '-')}"
        if value is None or value is False:
            continue
        if value is True:
            found.append(flag)
        elif isinstance(value, (str, int, float, os.PathLike)):
            found.append(f"{flag}={named(value) if isinstance(value, os.PathLike) else value}")
        else:
            found += [f"{flag}={one}" for one in value]
    return found


def by_rules(
    rules: Optional[Path],
    like: Optional[Path],
    set: Optional[Mapping[str, object]],
    keep_missing: bool,
    keep_names: bool,
    save_counter: Optional[int],
    for_read: bool,
    html: Optional[Path],
) -> list[str]:
    """What every command says of a conversion by rules."""
    return options(
        map=rules,
        like=like,
        set=pairs(set),
        keep_missing=keep_missing,
        keep_names=keep_names,
        save_counter=save_counter,
        for_="read" if for_read else None,
        html=html,
    )


def places(*paths: Path) -> list[str]:
    """What stands behind all options."""
    return ["--", *map(named, paths)]
