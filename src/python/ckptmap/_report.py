"""What commands answer: their text, their JSON, and a table for notebooks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Union, overload

from . import _html
from ._errors import Error, Place, Problem

Row = Sequence[object]


class Report:
    """An answer of the program.

    >>> report = Report("6 variables\\n", "", {"schema": 1})
    >>> report
    6 variables
    """

    #: What the command prints.
    text: str
    #: What it has to say beside that: notes and warnings.
    messages: str
    #: The document that the command writes with ``--json``.
    json: dict[str, Any]

    def __init__(self, text: str, messages: str, json: dict[str, Any]) -> None:
        self.text, self.messages, self.json = text, messages, json

    def __repr__(self) -> str:
        return (self.text + self.messages).rstrip("\n")

    def _table(self) -> tuple[Row, list[Row]]:
        """Heads and rows."""
        return [], []

    def _remarks(self) -> list[str]:
        """What the text says beside rows and their sum."""
        return []

    def _caption(self) -> str:
        """The last line of the text, which sums up the others."""
        lines = self.text.rstrip("\n").splitlines()
        return lines[-1] if lines else ""

    def _repr_html_(self) -> str:
        heads, rows = self._table()
        said = _html.table(self._caption(), [str(head) for head in heads], rows)
        return said + _html.lines([*self._remarks(), *self.messages.splitlines()])


def _shape(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def place(document: Optional[dict[str, Any]]) -> Optional[Place]:
    """A place of a document."""
    return Place(document["file"], document["line"], document["column"]) if document else None


def problems(documents: Sequence[dict[str, Any]]) -> list[Problem]:
    """The problems of a document."""
    return [
        Problem(one["kind"], one["message"], place(one.get("place")), one.get("help"))
        for one in documents
    ]


@dataclass(frozen=True)
class Variable:
    """A variable of a checkpoint.

    >>> Variable("dense/kernel", "float32", (4, 3), 48).size
    12
    """

    #: As stored: that of an object ends in ``/.ATTRIBUTES/VARIABLE_VALUE``.
    name: str
    #: As ``tf.DType.name`` has it.
    dtype: str
    shape: tuple[int, ...]
    #: ``None`` where it lies in pieces.
    nbytes: Optional[int] = None
    #: The variable that it belongs to, where it is an optimizer's.
    slot_of: Optional[str] = None
    #: What the optimizer calls it.
    slot: Optional[str] = None

    @property
    def size(self) -> int:
        """The number of elements."""
        size = 1
        for length in self.shape:
            size *= length
        return size


class Listing(Report, Sequence[Variable]):
    """The variables of a checkpoint: a sequence of :class:`Variable`.

    >>> document = {"variables": [], "checkpoint": "old/model.ckpt", "object_based": False}
    >>> len(Listing("", "", document))
    0
    """

    def __init__(self, text: str, messages: str, json: dict[str, Any]) -> None:
        super().__init__(text, messages, json)
        self._variables = tuple(map(_variable, json["variables"]))

    @property
    def checkpoint(self) -> str:
        """Its prefix."""
        return str(self.json["checkpoint"])

    @property
    def object_based(self) -> bool:
        """Whether it has an object graph, as those of TF2 have."""
        return bool(self.json["object_based"])

    @overload
    def __getitem__(self, at: int) -> Variable: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Variable]: ...
    def __getitem__(self, at: Union[int, slice]) -> Union[Variable, Sequence[Variable]]:
        return self._variables[at]

    def __len__(self) -> int:
        return len(self._variables)

    def _table(self) -> tuple[Row, list[Row]]:
        rows = [(one.name, one.dtype, _shape(one.shape), one.nbytes or "") for one in self]
        return ("variable", "dtype", "shape", "bytes"), list(rows)


def _variable(document: dict[str, Any]) -> Variable:
    slot_of = document.get("slot_of") or {}
    return Variable(
        name=document["name"],
        dtype=document["dtype"],
        shape=tuple(document["shape"]),
        nbytes=document.get("storage", {}).get("bytes"),
        slot_of=slot_of.get("variable"),
        slot=slot_of.get("slot"),
    )


@dataclass(frozen=True)
class Value:
    """A value of the new checkpoint, and what it is made of.

    >>> Value("model/head/bias", "float32", (3,), ("dense/bias",)).sources
    ('dense/bias',)
    """

    #: The path of its object.
    target: str
    dtype: str
    shape: tuple[int, ...]
    #: Variables of the old checkpoint.
    sources: tuple[str, ...] = ()
    #: Whether it is the new model's own.
    kept: bool = False
    #: The number, if it is one.
    constant: Optional[str] = None
    transforms: tuple[str, ...] = ()
    rule: Optional[Place] = None

    @property
    def origin(self) -> str:
        """What it is made of, in words."""
        if self.kept:
            return "kept"
        return ", ".join(self.sources) or f"= {self.constant}"


class Plan(Report):
    """What a conversion does to every value.

    >>> document = {"values": [], "variables": [], "warnings": [], "advice": []}
    >>> Plan("", "", document).values
    []
    """

    #: Every value of the new checkpoint.
    values: list[Value]
    #: What may be wrong.
    warnings: list[Problem]
    #: What the same training still depends on.
    advice: list[str]

    def __init__(self, text: str, messages: str, json: dict[str, Any]) -> None:
        super().__init__(text, messages, json)
        self.values = [
            Value(
                target=one["target"],
                dtype=one["dtype"],
                shape=tuple(one["shape"]),
                sources=tuple(one["sources"]),
                kept=one["kept"],
                constant=one["constant"],
                transforms=tuple(one["transforms"]),
                rule=place(one["rule"]),
            )
            for one in json["values"]
        ]
        self.warnings = problems(json["warnings"])
        self.advice = list(json["advice"])

    @property
    def fates(self) -> dict[str, str]:
        """What becomes of each variable of the old checkpoint, by its name."""
        return {one["name"]: one["fate"] for one in self.json["variables"]}

    def _caption(self) -> str:
        # The sum stands above what was written.
        lines = [line for line in self.text.splitlines() if " values: " in line]
        return lines[-1] if lines else super()._caption()

    def _remarks(self) -> list[str]:
        if not self.advice:
            return []
        return ["the same training still depends on:", *self.advice]

    def _table(self) -> tuple[Row, list[Row]]:
        rows = [
            (
                one.target,
                one.origin,
                f"{one.dtype} {_shape(one.shape)}",
                ", ".join(one.transforms),
                f"{os.path.basename(one.rule.file)}:{one.rule.line}" if one.rule else "",
            )
            for one in self.values
        ]
        return ("new", "old", "is", "transformed", "rule"), list(rows)


@dataclass(frozen=True)
class WrittenFile:
    """A file of a result.

    >>> WrittenFile("new/ckpt.index", 574).shared is None
    True
    """

    path: str
    nbytes: int
    #: ``link``, ``reflink``, ``server``, or ``None`` where it has bytes of its own.
    shared: Optional[str] = None


class Conversion(Plan):
    """What a conversion did: its plan, and where the result is.

    >>> issubclass(Conversion, Plan)
    True
    """

    #: Files that were written.
    files: list[WrittenFile]

    def __init__(self, text: str, messages: str, json: dict[str, Any]) -> None:
        super().__init__(text, messages, json)
        self.files = [
            WrittenFile(one["path"], one["bytes"], one["shared"])
            for one in json["written"]["files"]
        ]

    @property
    def checkpoint(self) -> str:
        """The prefix of the result, as ``tf.train.Checkpoint`` takes it."""
        (index,) = (one.path for one in self.files if one.path.endswith(".index"))
        return index[: -len(".index")]


@dataclass(frozen=True)
class Pairing:
    """A variable of the new model, and what was proposed for it.

    >>> Pairing("model/head/bias", "float32", (3,), "certain", ("dense/bias",)).confidence
    'certain'
    """

    path: str
    dtype: str
    shape: tuple[int, ...]
    #: ``certain``, ``likely`` or ``open``.
    confidence: str
    sources: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    #: What else would fit, the likeliest first.
    alternatives: tuple[str, ...] = ()


class Suggestion(Report):
    """Proposed rules.

    >>> document = {"rules": "version: 1\\n", "complete": True, "builtin": None, "pairings": []}
    >>> Suggestion("version: 1\\n", "", document).rules
    'version: 1\\n'
    """

    #: Every variable of the new model that has a source, or needs one.
    pairings: list[Pairing]

    def __init__(self, text: str, messages: str, json: dict[str, Any]) -> None:
        super().__init__(text, messages, json)
        self.pairings = [
            Pairing(
                path=one["path"],
                dtype=one["dtype"],
                shape=tuple(one["shape"]),
                confidence=one["confidence"],
                sources=tuple(one["sources"]),
                reasons=tuple(one["reasons"]),
                alternatives=tuple(one["alternatives"]),
            )
            for one in json["pairings"]
        ]

    @property
    def rules(self) -> str:
        """The rule file."""
        return str(self.json["rules"])

    @property
    def complete(self) -> bool:
        """Whether nothing is open."""
        return bool(self.json["complete"])

    @property
    def builtin(self) -> Optional[str]:
        """The built-in mapping that fits, if one does."""
        name = self.json["builtin"]
        return None if name is None else str(name)

    def save_rules(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes the rule file."""
        write_rules(path, self.rules)

    def _caption(self) -> str:
        words = ("certain", "likely", "open")
        counts = {word: sum(one.confidence == word for one in self.pairings) for word in words}
        said = ", ".join(f"{counts[word]} {word}" for word in words)
        return f"{len(self.pairings)} variables of the new model: {said}"

    def _table(self) -> tuple[Row, list[Row]]:
        return ("new", "old", "is", "why"), [
            (one.path, ", ".join(one.sources or one.alternatives), one.confidence, *one.reasons[:1])
            for one in self.pairings
        ]


def doubts(pairings: Sequence[Pairing]) -> list[str]:
    """Lines about what was proposed without being certain."""
    likely = [one for one in pairings if one.confidence == "likely"]
    if not likely:
        return []
    pairs = [f"  {one.path}  <-  {', '.join(one.sources)}: {one.reasons[0]}" for one in likely]
    return [f"{len(likely)} of these pairs are likely, not certain; look at them:", *pairs]


def write_rules(path: Union[str, os.PathLike[str]], rules: str) -> None:
    """Writes a rule file as the program reads it, whatever the system's own encoding."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(rules)


@dataclass(frozen=True)
class Checked:
    """What was found of a checkpoint.

    >>> Checked("old/model.ckpt", 6, 1008).damaged
    ()
    """

    checkpoint: str
    variables: Optional[int]
    nbytes: Optional[int]
    damaged: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Check(Report):
    """What was found of checkpoints that were read through.

    >>> Check("", "", {"checkpoints": []}).ok
    True
    """

    #: One for each.
    checkpoints: list[Checked]

    def __init__(self, text: str, messages: str, json: dict[str, Any]) -> None:
        super().__init__(text, messages, json)
        self.checkpoints = [
            Checked(
                checkpoint=one["checkpoint"],
                variables=one["variables"],
                nbytes=one["bytes"],
                damaged=tuple(one["damaged"]),
                notes=tuple(one["notes"]),
            )
            for one in json["checkpoints"]
        ]

    @property
    def ok(self) -> bool:
        """Whether every byte is what it was when it was written."""
        return not any(one.damaged for one in self.checkpoints)

    def _caption(self) -> str:
        return "every checksum is right" if self.ok else "damaged"

    def _table(self) -> tuple[Row, list[Row]]:
        return ("checkpoint", "variables", "bytes", "damaged"), [
            (one.checkpoint, one.variables, one.nbytes, "; ".join(one.damaged))
            for one in self.checkpoints
        ]


@dataclass(frozen=True)
class Difference:
    """Something that two checkpoints do not have in common.

    >>> Difference("dense/bias", "only_in_a").elements is None
    True
    """

    #: The variable, or with rules the path of the value.
    name: str
    #: ``spec`` (dtype or shape), ``values``, ``only_in_a``, ``only_in_b``; with rules also
    #: ``missing`` and ``not_planned``.
    kind: str
    #: Of the tensor, where values differ.
    elements: Optional[int] = None
    #: Elements that differ.
    different: Optional[int] = None
    #: The largest difference, and the largest one in relation to B's number.
    absolute: Optional[float] = None
    relative: Optional[float] = None
    #: All that is known.
    json: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


class Diff(Report):
    """What two checkpoints differ in.

    >>> Diff("", "", {"equal": True, "differences": [], "unreadable": []}).equal
    True
    """

    differences: list[Difference]

    def __init__(self, text: str, messages: str, json: dict[str, Any]) -> None:
        super().__init__(text, messages, json)
        self.differences = list(map(_difference, json["differences"]))

    @property
    def equal(self) -> bool:
        """Whether nothing differs, as far as everything could be compared."""
        return bool(self.json["equal"]) and not self.unreadable

    @property
    def unreadable(self) -> list[str]:
        """What could not be compared, and why."""
        return [one["error"] for one in self.json["unreadable"]]

    def _table(self) -> tuple[Row, list[Row]]:
        return ("variable", "differs in", "elements", "at most by", "relatively by"), [
            (
                one.name,
                one.kind.replace("_", " "),
                "" if one.different is None else f"{one.different} of {one.elements}",
                "" if one.absolute is None else f"{one.absolute:.4g}",
                "" if one.relative is None else f"{one.relative:.4g}",
            )
            for one in self.differences
        ]


def _difference(document: dict[str, Any]) -> Difference:
    def size(gap: str) -> Optional[float]:
        found = document.get(gap)
        return found["size"] if found else None

    name = document.get("name") or document.get("target") or document.get("key")
    return Difference(
        name=str(name),
        kind=document["kind"],
        elements=document.get("elements"),
        different=document.get("different"),
        absolute=size("absolute"),
        relative=size("relative"),
        json=document,
    )


class Restoration(Plan):
    """What became of a model: where each of its values comes from, and by which rules.

    >>> issubclass(Restoration, Plan)
    True
    """

    #: The rule file; ``None`` where it lies on another machine.
    rules: Optional[str]
    #: What was proposed, where no rules were given.
    suggestion: Optional[Suggestion]

    def __init__(
        self,
        text: str,
        messages: str,
        json: dict[str, Any],
        rules: Optional[str],
        suggestion: Optional[Suggestion],
    ) -> None:
        super().__init__(text, messages, json)
        self.rules, self.suggestion = rules, suggestion

    @property
    def likely(self) -> list[Pairing]:
        """What was proposed without being certain: look at these."""
        found = self.suggestion.pairings if self.suggestion else []
        return [one for one in found if one.confidence == "likely"]

    def _remarks(self) -> list[str]:
        return [*super()._remarks(), *doubts(self.likely)]

    def save_rules(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes the rule file, so that the same can be done again."""
        if self.rules is None:
            raise Error("the rules lie on another machine: copy them there")
        write_rules(path, self.rules)


