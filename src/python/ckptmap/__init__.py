"""Gives TensorFlow 2 models the values of TensorFlow 1 checkpoints.

TF1 checkpoints are flat lists of names, TF2 models are graphs of objects. ``restore`` takes one into
the other and accounts for every variable::

    import ckptmap

    report = ckptmap.restore(model, "old/model.ckpt")

The other functions are the commands of the program ``ckptmap``, which comes with the package. They
need no TensorFlow, and only :func:`load_variable` needs NumPy. What cannot be done is a
:class:`ckptmap.Error` that says what the command says.

>>> import ckptmap
>>> ckptmap.list_variables("testdata/conv3/model.ckpt", "*_1/*")
model/conv2d_1/bias    float32  [3]           12 B
model/conv2d_1/kernel  float32  [3, 3, 3, 3]  324 B
2 variables, 336 B; of 6, 1008 B
"""

from ._commands import check, convert, diff, list_variables, load_variable, plan, suggest
from ._errors import Error, Place, PlanError, Problem, RestoreError, SuggestionError
from ._report import (
    Check,
    Checked,
    Conversion,
    Diff,
    Difference,
    Listing,
    Pairing,
    Plan,
    Report,
    Restoration,
    Suggestion,
    Value,
    Variable,
    WrittenFile,
)
from ._restore import restore
from ._version import __version__

__all__ = [
    "Check",
    "Checked",
    "Conversion",
    "Diff",
    "Difference",
    "Error",
    "Listing",
    "Pairing",
    "Place",
    "Plan",
    "PlanError",
    "Problem",
    "Report",
    "Restoration",
    "RestoreError",
    "Suggestion",
    "SuggestionError",
    "Value",
    "Variable",
    "WrittenFile",
    "__version__",
    "check",
    "convert",
    "diff",
    "list_variables",
    "load_variable",
    "plan",
    "restore",
    "suggest",
]
