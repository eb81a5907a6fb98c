"""How right the suggested rules were; printed when everything has run."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Row:
    """What is told of the suggestion for one pair: its leaves by how sure it is of them."""

    case: str
    leaves: int
    certain: int
    likely: int
    open: int
    # Of those that it is sure of, and of those that it is less sure of.
    wrong_certain: int
    wrong_likely: int
    complete: int

    @property
    def wrong(self) -> int:
        return self.wrong_certain + self.wrong_likely


# What was done to a pair: nothing.
PLAIN = "as it is"
# By what was done to the pairs.
ROWS: dict[str, list[Row]] = {}
COUNTS = [field.name for field in fields(Row)][1:]


def note(variant: str, row: Row) -> None:
    ROWS.setdefault(variant, []).append(row)


def total(variant: str) -> Counter:
    return Counter({count: sum(getattr(row, count) for row in ROWS[variant]) for count in COUNTS})


def share(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.1f} %"


def summary(variant: str) -> str:
    sums, cases = total(variant), len(ROWS[variant])
    proposed = sums["certain"] + sums["likely"]
    return (
        f"{variant}: {share(proposed, sums['leaves'])} of {sums['leaves']} leaves proposed"
        f" ({share(sums['certain'], sums['leaves'])} certain),"
        f" wrong {sums['wrong_certain']} of {sums['certain']} certain"
        f" and {sums['wrong_likely']} of {sums['likely']} likely;"
        f" {sums['complete']} of {cases} cases complete"
    )


def aligned(lines: Iterable[list[str]]) -> list[str]:
    lines = list(lines)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def table() -> list[str]:
    """Every pair as it is, and what all of them add up to, whatever was done to them."""
    lines = [["case", *(count.replace("_", " ") for count in COUNTS)]]
    lines += ([row.case, *(str(getattr(row, n)) for n in COUNTS)] for row in ROWS.get(PLAIN, []))
    return [*aligned(lines), *map(summary, ROWS)]
