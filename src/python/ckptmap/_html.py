"""Tables for notebooks. What comes from a file is text, whatever it looks like."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

# What could hide or turn round the text around it, beside control characters.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
# Nobody reads more in a notebook.
ROWS = 100
LONGEST = 500

# Colours are the notebook's own, be it light or dark.
CELL = 'style="text-align: left; padding: 0 1em 0 0"'


def text(value: object) -> str:
    """A value as text of a page.

    >>> text("<b>\\u202e")
    '&lt;b&gt;\\\\u{202e}'
    """
    said = str(value)
    if len(said) > LONGEST:
        half = LONGEST // 2
        said = f"{said[:half]}…{said[-half:]}"
    return html.escape(UNSAFE.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", said))


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with a line above it; of very many rows, the first ones."""
    rows = list(rows)
    page = [f"<div>{text(caption)}</div>"]
    if rows:
        cells = "".join(f"<th {CELL}>{text(head)}</th>" for head in heads)
        page += ["<table>", f"<thead><tr>{cells}</tr></thead>", "<tbody>"]
        for row in rows[:ROWS]:
            cells = "".join(f"<td {CELL}>{text(cell)}</td>" for cell in row)
            page.append(f"<tr>{cells}</tr>")
        page += ["</tbody>", "</table>"]
    if len(rows) > ROWS:
        page.append(_more(len(rows)))
    return "\n".join(page)


def lines(said: Sequence[str]) -> str:
    """Lines one below the other; of very many, the first ones."""
    shown = [f"<div>{text(line)}</div>" for line in said[:ROWS]]
    return "".join(shown + ([_more(len(said))] if len(said) > ROWS else []))


def _more(count: int) -> str:
    return f"<div>… and {count - ROWS} more; print the report for all</div>"
