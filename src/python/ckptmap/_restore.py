"""From an old checkpoint into a model that is there."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any, Optional

from . import _objects
from ._arguments import Path, named, options, pairs, places
from ._commands import convert, document
from ._errors import Error, SuggestionError
from ._program import run, scratch
from ._report import Conversion, Restoration, Suggestion, doubts, write_rules

BUILTIN = "builtin:"
HOW_TO_HINT = (
    "say what you know, and everything else is worked out anew: "
    "hints={'OLD VARIABLE': 'model/path/of/the/new'}; or save `error.rules` to a file, edit it, and "
    "pass it as `rules`, with keep_missing=True if the old checkpoint has nothing for what is open"
)


def restore(
    model: Any,
    old: Path,
    rules: Optional[Path] = None,
    *,
    optimizer: Optional[Any] = None,
    set: Optional[Mapping[str, object]] = None,
    hints: Optional[Mapping[str, str]] = None,
    strict: bool = False,
    keep_missing: bool = False,
    memory: Optional[str] = None,
    directory: Optional[Path] = None,
) -> Restoration:
    """Gives a model the values of a TF1 checkpoint.

    Works out the rules if none are given, converts to a temporary place, restores, and makes sure
    that everything was restored. If anything is wrong the model has the values it had.

    Args:
        model: A built model of Keras 2, tf_keras or Keras 3, anything else that
            ``tf.train.Checkpoint`` holds, or a ``tf.train.Checkpoint``. Targets of rules begin
            with ``model/``, or with the names that the checkpoint has.
        old: The checkpoint to restore from; ``s3://…`` and its like as well.
        rules: A rule file, or ``"builtin:NAME"``, to which ``optimizer`` is added as it is needed.
            Without, rules are proposed and applied if they leave nothing open.
        optimizer: Takes over the state of the old one; it is built if it was not. That of a compiled
            model need not be named where rules are proposed.
        set: Parameters of the rule file.
        hints: What you know, where rules are proposed: variables of ``old``, and the paths or names
            that they become.
        strict: Proposed rules must be certain. Without, a warning tells of those that are likely only.
        keep_missing: The model keeps its own values wherever the rules give none. Proposed rules
            have to give all of them: what they leave open is an error with it as well.
        memory: For values that are transformed, ``"1GiB"``.
        directory: Where the temporary directory is made; it takes twice the size of the model.

    Raises:
        SuggestionError: The proposed rules leave something open.
        PlanError: The rules do not fit.
        Error: Anything else that the program could not do.

    >>> import ckptmap, tensorflow as tf
    >>> line = tf.train.Checkpoint(W=tf.Variable(0.0), b=tf.Variable(0.0))
    >>> folder = "testdata/linear_regression"
    >>> ckptmap.restore(line, f"{folder}/model.ckpt", f"{folder}/rules.yaml")
    W  <-  Variable    float32 []  rules.yaml:4
    b  <-  Variable_1  float32 []  rules.yaml:5
    2 variables: 2 mapped; 2 values: 2 bit for bit
    restored, and nothing is left over
    """
    if rules is not None and (hints or strict):
        raise TypeError("`hints` and `strict` are for proposed rules: leave `rules` out")
    checkpoint = _objects.checkpoint_of(model, optimizer)
    with scratch(directory) as place:
        fresh, new = os.path.join(place, "fresh"), os.path.join(place, "new")
        counts = _objects.write(checkpoint, fresh)
        suggestion = None
        if rules is None:
            try:
                suggestion = _suggest(old, fresh, hints, strict)
            except Error as error:
                # Nobody has given that name to anything.
                error.args = (str(error).replace(f"`{fresh}`", "the model"),)
                raise
            rules = os.path.join(place, "suggested.yaml")
            suggestion.save_rules(rules)
        elif named(rules).startswith(BUILTIN) and (state := _state(model, optimizer)):
            text = f"version: 1\ninclude: [{named(rules)}]\noptimizer: {state}\n"
            rules = os.path.join(place, "rules.yaml")
            write_rules(rules, text)
        conversion = convert(
            old,
            new,
            rules=rules,
            like=fresh,
            set=set,
            keep_missing=keep_missing,
            for_read=not counts,
            memory=memory,
            # Nobody needs it after a loss of power.
            sync=False,
        )
        _objects.read(checkpoint, new, fresh)
        # Files that are gone at once are known by their names.
        inside = place + os.sep
        return Restoration(
            text=_text(conversion, suggestion).replace(inside, ""),
            messages=_messages(conversion).replace(inside, ""),
            json=conversion.json,
            rules=suggestion.rules if suggestion else _rules(rules),
            suggestion=suggestion,
        )


def _state(model: Any, optimizer: Optional[Any]) -> Optional[str]:
    """What rules have to say of the optimizer, as a built-in mapping says nothing: one that was named
    takes over the old state, and a model's own keeps what it has."""
    if optimizer is not None:
        return "{to: optimizer}"
    return "keep" if getattr(model, "optimizer", None) is not None else None


def _suggest(
    old: Path, fresh: str, hints: Optional[Mapping[str, str]], strict: bool
) -> Suggestion:
    """Rules that leave nothing open."""
    flags = options(like=fresh, hint=pairs(hints), strict=strict)
    answer = run("suggest", *flags, *places(old))
    found = Suggestion(answer.text, answer.messages, document(answer, 1))
    # Its first line tells where it comes from, and the file is nowhere when somebody reads it.
    found.json["rules"] = found.rules.replace(f" to {fresh}, ", " to a model, ", 1)
    if found.complete and answer.status == 0:
        likely = sum(one.confidence == "likely" for one in found.pairings)
        if likely:
            # Scripts show no report.
            text = f"{likely} pairs are likely, not certain: look at `likely` of the report"
            warnings.warn(text, stacklevel=3)
        return found
    open = [one.path for one in found.pairings if one.confidence == "open"]
    text = f"{_told(answer.messages)}\n{HOW_TO_HINT}"
    raise SuggestionError(text, answer.status, found.rules, open)


def _told(messages: str) -> str:
    """What the command says, without the commands that it would have typed next."""
    lines = messages.strip("\n").removeprefix("note: ").splitlines()
    ends = (at for at, line in enumerate(lines) if line.endswith((", then:", ", then convert:")))
    return "\n".join(lines[: next(ends, len(lines))])


def _messages(conversion: Conversion) -> str:
    """Without what only TF1's Saver would mind, which never sees the result."""
    saver = {f"warning: {one.message}" for one in conversion.warnings if "Saver" in one.message}
    lines = conversion.messages.splitlines()
    return "".join(f"{line}\n" for line in lines if line not in saver)


def _text(conversion: Conversion, suggestion: Optional[Suggestion]) -> str:
    """What was done, without the files that are gone."""
    files = {one.path for one in conversion.files}
    lines = [
        line
        for line in conversion.text.splitlines()
        if not any(line.startswith(f"wrote {path} ") for path in files)
    ]
    lines += doubts(suggestion.pairings if suggestion else [])
    lines.append("restored, and nothing is left over")
    return "\n".join(lines) + "\n"


def _rules(rules: Path) -> Optional[str]:
    """The text of a rule file, if this machine has it."""
    name = named(rules)
    if name.startswith(BUILTIN):
        return run("mappings", *places(name[len(BUILTIN) :])).text
    try:
        with open(name, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return None
