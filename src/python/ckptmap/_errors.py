"""What can go wrong, with what the program says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional


@dataclass(frozen=True)
class Place:
    """Somewhere in a rule file.

    >>> str(Place("rules.yaml", 6, 14))
    'rules.yaml:6:14'
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a plan.

    >>> Problem("template", "there is no group `$2`").message
    'there is no group `$2`'
    """

    kind: str
    message: str
    place: Optional[Place] = None
    help: Optional[str] = None


class Error(Exception):
    """The program could not do it. The text is what the command prints.

    >>> import ckptmap
    >>> try:
    ...     ckptmap.list_variables("no/such/checkpoint")
    ... except ckptmap.Error as error:
    ...     print(error.status)
    2
    """

    #: The program's exit status; ``None`` where it did not run.
    status: Optional[int]

    def __init__(self, text: str, status: Optional[int] = None) -> None:
        super().__init__(text)
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is made anew of its text alone, which is not enough for those below. Processes
        # send each other such copies.
        return _again, (type(self), str(self), vars(self))


def _again(kind: type[Error], text: str, attributes: dict[str, Any]) -> Error:
    error = kind.__new__(kind, text)
    vars(error).update(attributes)
    return error


class PlanError(Error):
    """The rules and the checkpoint do not make a plan; nothing was written.

    >>> error = PlanError("1 problem; nothing was written", 1, [Problem("scope", "left over")])
    >>> [problem.kind for problem in error.problems]
    ['scope']
    """

    #: All of them, in the order of the text.
    problems: list[Problem]

    def __init__(self, text: str, status: Optional[int], problems: Sequence[Problem]) -> None:
        super().__init__(text, status)
        self.problems = list(problems)


class SuggestionError(Error):
    """The rules that could be proposed leave something open, or are not certain with ``strict``.

    >>> error = SuggestionError("1 open", 1, "version: 1\\n", ["model/hidden/kernel"])
    >>> error.rules
    'version: 1\\n'
    """

    #: The rule file as far as it goes; what is open stands in it as comments.
    rules: str
    #: Paths of the variables of the new model that nothing was found for.
    open: list[str]

    def __init__(self, text: str, status: Optional[int], rules: str, open: Sequence[str]) -> None:
        super().__init__(text, status)
        self.rules = rules
        self.open = list(open)


class RestoreError(Error):
    """TensorFlow did not restore all of the result. The old values were put back.

    >>> issubclass(RestoreError, Error)
    True
    """
