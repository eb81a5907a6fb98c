"""The program's commands as functions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional

from ._arguments import Path, Sharing, by_rules, options, pairs, places
from ._errors import Error, PlanError
from ._program import Answer, run, scratch
from ._report import Check, Conversion, Diff, Listing, Plan, Suggestion, problems

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def document(answer: Answer, *accepted: int) -> dict[str, Any]:
    """The document of an answer. Any exit status but 0 and those accepted is an error."""
    found = answer.document
    if found is not None and "problems" in found and answer.status != 0:
        raise PlanError(answer.error, answer.status, problems(found["problems"]))
    if found is None or answer.status not in (0, *accepted):
        raise Error(answer.error, answer.status)
    return found


def list_variables(checkpoint: Path, *patterns: str) -> Listing:
    """The variables of a checkpoint, as ``ckptmap list`` has them.

    ``patterns`` are globs over whole names (``*`` stands for anything), or ``/regular expressions/``.

    >>> import ckptmap
    >>> for variable in ckptmap.list_variables("testdata/conv3/model.ckpt", "*/bias"):
    ...     print(variable.name, variable.shape)
    model/conv2d/bias (3,)
    model/conv2d_1/bias (3,)
    model/conv2d_2/bias (3,)
    """
    answer = run("list", *places(checkpoint), *patterns)
    return Listing(answer.text, answer.messages, document(answer))


def load_variable(checkpoint: Path, name: str) -> npt.NDArray[Any]:
    """The values of a variable, or of a part of it, ``"NAME[0:3, ..., -1]"``. Needs NumPy.

    All checksums are checked. Strings come as an array of ``bytes``. Elements of a type that NumPy
    has not (bfloat16, float8, int4, …) need ``ml_dtypes``, which comes with TensorFlow.

    >>> import ckptmap
    >>> ckptmap.load_variable("testdata/conv3/model.ckpt", "model/conv2d/bias").shape
    (3,)
    """
    import numpy as np

    with scratch() as place:
        path = os.path.join(place, "values.npy")
        answer = run("show", *options(npy=path), *places(checkpoint), name)
        # No `.npy` file holds strings.
        if answer.status == 2 and "elements of type string" in answer.messages:
            return _strings(checkpoint, name)
        found = document(answer)
        values: npt.NDArray[Any] = np.load(path)
    return values.view(_element(found["dtype"])) if found["file"]["raw"] else values


def _element(dtype: str) -> np.dtype[Any]:
    """A type that NumPy has not."""
    import numpy as np

    try:
        import ml_dtypes

        found: np.dtype[Any] = np.dtype(getattr(ml_dtypes, dtype))
        return found
    except (ImportError, AttributeError):
        raise Error(
            f"NumPy has no {dtype}: install a newer `ml_dtypes`, or have the bits of its elements "
            "with `ckptmap show --npy`"
        ) from None


def _strings(checkpoint: Path, name: str) -> npt.NDArray[Any]:
    import numpy as np

    found = document(run("show", *places(checkpoint), name))
    shape = (found["slice"] or found)["shape"]
    strings: list[bytes] = []
    ahead = [found["values"]]
    while ahead:
        one = ahead.pop()
        if isinstance(one, list):
            ahead += reversed(one)
        else:
            # What is no text.
            strings.append(bytes.fromhex(one["hex"]) if isinstance(one, dict) else one.encode())
    values = np.empty(len(strings), dtype=object)
    values[:] = strings
    return values.reshape(shape)


def plan(
    old: Path,
    rules: Path,
    *,
    like: Optional[Path] = None,
    set: Optional[Mapping[str, object]] = None,
    keep_missing: bool = False,
    keep_names: bool = False,
    save_counter: Optional[int] = None,
    for_read: bool = False,
    reverse: bool = False,
    html: Optional[Path] = None,
) -> Plan:
    """What a conversion would do; nothing is written. Arguments as for :func:`convert`.

    >>> import ckptmap
    >>> rules = "testdata/conv3/rules-keras2.yaml"
    >>> ckptmap.plan("testdata/conv3/model.ckpt", rules).values[0].sources
    ('model/conv2d/bias',)
    """
    flags = by_rules(
        rules, like, set, keep_missing, keep_names, save_counter, for_read, html
    ) + options(reverse=reverse)
    answer = run("plan", *flags, *places(old))
    return Plan(answer.text, answer.messages, document(answer))


def convert(
    old: Path,
    new: Optional[Path] = None,
    *,
    rules: Optional[Path] = None,
    like: Optional[Path] = None,
    set: Optional[Mapping[str, object]] = None,
    force: bool = False,
    keep_missing: bool = False,
    keep_names: bool = False,
    save_counter: Optional[int] = None,
    for_read: bool = False,
    reverse: bool = False,
    link: Sharing = False,
    reflink: Sharing = False,
    require_server_copy: bool = False,
    memory: Optional[str] = None,
    shard_size: Optional[str] = None,
    sync: bool = True,
    verify: bool = True,
    update_state: bool = False,
    html: Optional[Path] = None,
) -> Conversion:
    """Converts a checkpoint, as ``ckptmap convert`` does, and reports what became of every value.

    Args:
        old: The checkpoint to convert; ``s3://…`` and its like as well.
        new: The prefix of the result. By default the same name in ``old``'s directory + "-tf2".
        rules: The rule file, or ``"builtin:NAME"``. Only ``reverse`` can do without.
        like: A fresh checkpoint of the new model, whose objects the result takes over.
        set: Parameters of the rule file.
        force: Replace a checkpoint that is there.
        keep_missing: Keep the fresh value wherever the rules give none.
        keep_names: List untouched tensors under their TF1 names too.
        save_counter: The value of ``save_counter``.
        for_read: For ``tf.train.Checkpoint.read`` and ``load_weights``: without ``save_counter``.
        reverse: From TF2 back to TF1; ``like`` is then the TF1 checkpoint.
        link: Share the data files with ``old`` by hard links where that can be done;
            ``"require"`` for an error where it cannot.
        reflink: Share blocks with it, likewise.
        require_server_copy: Inside a bucket, an error where the server cannot copy.
        memory: For values that are transformed, ``"1GiB"``.
        shard_size: The most that one data file has, ``"2GiB"``.
        sync: Wait until the data is safe on the disk.
        verify: Check the checksums of ``old``.
        update_state: Name the result as the latest in the ``checkpoint`` file beside it.
        html: A page to look through, to be written as well.

    >>> import ckptmap, tempfile
    >>> new = f"{tempfile.mkdtemp()}/ckpt"
    >>> rules = "testdata/conv3/rules-keras2.yaml"
    >>> report = ckptmap.convert("testdata/conv3/model.ckpt", new, rules=rules)
    >>> report.checkpoint == new, len(report.values)
    (True, 7)
    """
    flags = by_rules(
        rules, like, set, keep_missing, keep_names, save_counter, for_read, html
    ) + options(
        reverse=reverse,
        output=new,
        force=force,
        link=link,
        reflink=reflink,
        require_server_copy=require_server_copy,
        memory=memory,
        shard_size=shard_size,
        no_sync=not sync,
        no_verify=not verify,
        update_state=update_state,
    )
    answer = run("convert", *flags, *places(old))
    return Conversion(answer.text, answer.messages, document(answer))


def suggest(
    old: Path,
    like: Path,
    *,
    hints: Optional[Mapping[str, str]] = None,
    builtin: bool = True,
) -> Suggestion:
    """Proposes rules from a checkpoint to a fresh one of the new model.

    Args:
        old: The checkpoint to convert.
        like: A fresh checkpoint of the new model.
        hints: What you know: variables of ``old``, and the paths or names that they become.
        builtin: Whether a built-in mapping that fits is proposed.

    >>> import ckptmap
    >>> found = ckptmap.suggest("testdata/optimizers/adam", "testdata/templates/keras3_adam")
    >>> found.complete, found.pairings[0].confidence
    (True, 'likely')
    """
    flags = options(like=like, hint=pairs(hints), no_builtin=not builtin)
    answer = run("suggest", *flags, *places(old))
    return Suggestion(answer.text, answer.messages, document(answer))


def check(*checkpoints: Path) -> Check:
    """Reads checkpoints through and reports all damage.

    >>> import ckptmap
    >>> ckptmap.check("testdata/conv3/model.ckpt").ok
    True
    """
    answer = run("check", *places(*checkpoints))
    return Check(answer.text, answer.messages, document(answer, 1))


def diff(
    a: Path,
    b: Path,
    *,
    rules: Optional[Path] = None,
    like: Optional[Path] = None,
    set: Optional[Mapping[str, object]] = None,
    rtol: Optional[float] = None,
    atol: Optional[float] = None,
    by_content: bool = False,
    keep_missing: bool = False,
    keep_names: bool = False,
    save_counter: Optional[int] = None,
    for_read: bool = False,
    html: Optional[Path] = None,
) -> Diff:
    """Compares two checkpoints: names, dtypes, shapes, values, objects.

    Args:
        a: A checkpoint.
        b: The other one.
        rules: The rules by which ``a`` was converted to ``b``: every value of ``b`` is then compared
            with what they make of ``a``. The arguments of :func:`convert` go with it.
        like: As for :func:`convert`; so are those below that are not told of here.
        set: As for :func:`convert`.
        rtol: Numbers may differ by this share of B's.
        atol: Numbers may differ by this much.
        by_content: Pair tensors that are equal under other names too.
        keep_missing: As for :func:`convert`.
        keep_names: As for :func:`convert`.
        save_counter: As for :func:`convert`.
        for_read: As for :func:`convert`.
        html: A page to look through, to be written as well.

    >>> import ckptmap
    >>> ckptmap.diff("testdata/conv3", "testdata/conv3").equal
    True
    """
    flags = by_rules(
        rules, like, set, keep_missing, keep_names, save_counter, for_read, html
    ) + options(rtol=rtol, atol=atol, by_content=by_content)
    answer = run("diff", *flags, *places(a, b))
    # Differences, and what could not be compared, are an answer too.
    accepted = () if answer.document is None else (1, 2)
    return Diff(answer.text, answer.messages, document(answer, *accepted))
