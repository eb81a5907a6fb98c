"""What the tests of the Python module are about: the module from the source tree, and TF1's models."""

import re
import sys
from pathlib import Path

import numpy as np

from harness import TESTDATA

# The module as it is here, whatever is installed.
sys.path.insert(0, str(TESTDATA.parent / "src" / "python"))

import ckptmap  # noqa: E402, F401

# What no one can have called a layer by accident.
HOSTILE = "x<img src=x onerror=alert(1)>&\u202e\x1b[31m/kernel"


def assert_is_text(page: str, name: str) -> None:
    """A page has nothing but its own few tags, and `name` in it is text."""
    tags = set(re.findall(r"<(/?\w+)", page))
    assert tags <= {f"{end}{tag}" for tag in ALLOWED for end in ("", "/")}, tags
    assert "\x1b" not in page and "\u202e" not in page
    assert re.fullmatch(r'(?s)(<(/?\w+)( style="[\w\s:;-]*")?>|[^<>])*', page)
    assert name.split("<", 1)[0] in page


ALLOWED = ("div", "table", "thead", "tbody", "tr", "th", "td")


def snapshot(variables) -> list[bytes]:
    """Values, bit by bit."""
    return [np.asarray(variable.numpy()).tobytes() for variable in variables]


def said(text: str, old: Path | str) -> str:
    """Without the place where a test is."""
    return text.replace(str(old), "OLD")
