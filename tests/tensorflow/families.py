"""Model families for the built-in mappings: what TF1 wrote, and which TF2 model takes it over.

A family registers itself with `family(...)`; `test_mappings.py` puts every one of them to the same
test. Nothing here knows a particular model.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock
from zlib import crc32

import numpy as np
import tensorflow as tf

from flavours import FLAVOURS, VERSION

tf1 = tf.compat.v1
# The Keras that comes with this TensorFlow.
KERAS = FLAVOURS.get("keras3", FLAVOURS["keras2"])

Values = dict[str, np.ndarray]
Outputs = np.ndarray | list[np.ndarray]


@dataclass(frozen=True)
class Source:
    """What TF1 wrote and computed."""

    prefix: str
    # Every variable in the checkpoint by its TF1 name.
    values: Values
    outputs: Outputs


@dataclass(frozen=True)
class Target:
    """A TF2 program that is to take it over."""

    # For `tf.train.Checkpoint`.
    objects: dict[str, Any]
    # On the inputs that TF1 was given.
    call: Callable[[], Any]
    # Every variable of the program and the value it must have, written without looking at the
    # mapping.
    variables: Callable[[Values], list[tuple[Any, np.ndarray]]]
    # The exceptions: what the mapping leaves at the template's value.
    kept: list = ()


@dataclass(frozen=True)
class Family:
    """A built-in mapping, and a case that shows it right."""

    mapping: str
    # As the table names it.
    target: str
    source: Callable[[Path], Source]
    build: Callable[[], Target]
    # Two layers of equal shape, as they are called in the source: parts of names.
    swap: tuple[str, str]
    # For the command line.
    flags: tuple[str, ...] = ()
    # The one environment it belongs to.
    only: str | None = None
    # Which of the source's outputs the target computes.
    outputs: Callable[[Any], Outputs] = lambda computed: computed
    # By how many units in the last place a value that has to be calculated may be missed.
    ulps: int = 0

    def __str__(self) -> str:
        return "-".join(re.findall(r"[\w.]+", f"{self.mapping} {self.target}"))

    def belongs_here(self) -> bool:
        return self.only in (None, VERSION)


FAMILIES: list[Family] = []


def family(**what) -> Family:
    registered = Family(**what)
    FAMILIES.append(registered)
    return registered


@dataclass(frozen=True)
class Misfit:
    """Rules, and a checkpoint or template that they are not for: what the tool shall say."""

    rules: Family
    source: Family
    template: Family
    says: str

    def __str__(self) -> str:
        return f"{self.rules}: {self.says}"

    def belongs_here(self) -> bool:
        return all(one.belongs_here() for one in (self.rules, self.source, self.template))


MISFITS: list[Misfit] = []


def misfit(
    rules: Family, says: str, *, source: Family | None = None, template: Family | None = None
) -> None:
    """Its own source or template, where no other is given."""
    MISFITS.append(Misfit(rules, source or rules, template or rules, says))


def rules_of(mapping: str, folder: Path) -> tuple[str, str]:
    """A built-in mapping as `--map` takes it, and as an `include` in `folder`.

    To try mappings without building the tool, `CKPTMAP_MAPPINGS` names the folder they are in.
    """
    files = os.environ.get("CKPTMAP_MAPPINGS")
    if files is None:
        return f"builtin:{mapping}", f"builtin:{mapping}"
    for file in Path(files).glob("*.yaml"):
        shutil.copy(file, folder)
    return str(folder / f"{mapping}.yaml"), f"{mapping}.yaml"


def rng_for(name: str) -> np.random.Generator:
    return np.random.default_rng(crc32(name.encode()))


def random_input(name: str, *shape: int) -> np.ndarray:
    """The same for the same name, so that both sides can ask for it."""
    return rng_for(name).standard_normal(shape).astype(np.float32)


def random_ids(name: str, shape: tuple[int, ...], below: int) -> np.ndarray:
    return rng_for(name).integers(0, below, shape).astype(np.int32)


# Factors, which fresh models have at 1.
SCALES = ("gamma", "scale", "g", "mul")
# Kernels with one input per output.
DEPTHWISE = ("depthwise_weights", "depthwise_kernel")


def random_value(name: str, shape: tuple, dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    """Nothing is 0 or 1 as in fresh models, which would hide mistakes; and signals neither die
    away nor explode in a deep model."""
    leaf = name.rpartition("/")[2]
    if np.issubdtype(dtype, np.integer):
        return rng.integers(1, 1000, shape).astype(dtype)
    if leaf.endswith("variance"):
        return rng.uniform(0.5, 1.5, shape).astype(dtype)
    if leaf in SCALES:
        return (1 + 0.2 * rng.standard_normal(shape)).astype(dtype)
    if len(shape) < 2:
        return (0.3 * rng.standard_normal(shape)).astype(dtype)
    inputs = np.prod(shape[:2] if leaf in DEPTHWISE else shape[:-1])
    return (rng.standard_normal(shape) * np.sqrt(1.5 / inputs)).astype(dtype)


@contextmanager
def variables_by_identity() -> Iterator[None]:
    """As TF1 had them. Where they are compared by value, layers that look for theirs among all
    variables make the building of a deep graph take half as long again."""
    tf1.disable_tensor_equality()
    try:
        yield
    finally:
        tf1.enable_tensor_equality()


def save(
    graph: Callable[[], Any],
    folder: Path,
    seed: str,
    value: Callable[[str, tuple, np.dtype, np.random.Generator], np.ndarray] = random_value,
) -> Source:
    """Builds a TF1 graph, gives every variable a value, computes what `graph` returned (a tensor,
    or a list of them) and saves with TF1's Saver. Inputs are constants in the graph."""
    rng = rng_for(seed)
    prefix = str(folder / "model.ckpt")
    with variables_by_identity(), tf1.Graph().as_default(), tf1.Session() as session:
        # Nor did TF1 rewrite Python code, which costs as much again.
        outputs = tf.autograph.experimental.do_not_convert(graph)()
        # Instead of what the initializers would compute, all at once.
        initial = {}
        for variable in tf1.global_variables():
            name = re.sub(r"/part_\d+$", "", variable.op.name)
            shape, dtype = tuple(variable.shape), variable.dtype.base_dtype.as_numpy_dtype
            initial[variable.initializer.inputs[1]] = value(name, shape, dtype, rng)
        session.run([variable.initializer for variable in tf1.global_variables()], initial)
        computed = session.run(outputs)
        tf1.train.Saver().save(session, prefix, write_state=False)
    return Source(prefix, checkpoint_values(prefix), computed)


def checkpoint_values(prefix: str) -> Values:
    """Partitioned variables are whole here."""
    reader = tf.train.load_checkpoint(prefix)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def noise(variables: list, seed: str) -> None:
    """Other values for another seed."""
    rng = rng_for(seed)
    for variable in variables:
        dtype = tf.as_dtype(variable.dtype).as_numpy_dtype
        variable.assign(rng.uniform(1, 100, tuple(variable.shape)).astype(dtype))


def relative_difference(computed: Any, outputs: Outputs) -> float:
    """The largest of all outputs; infinite if there are other ones."""
    ours = computed if isinstance(computed, list | tuple) else [computed]
    theirs = outputs if isinstance(outputs, list | tuple) else [outputs]
    found = 0.0
    for one, other in zip(map(np.asarray, ours), theirs, strict=True):
        assert one.shape == other.shape, f"outputs have shape {one.shape}, not {other.shape}"
        # NaN would be no difference otherwise.
        apart = np.max(np.abs(one - other)) / np.max(np.abs(other))
        found = max(found, float(np.nan_to_num(apart, nan=np.inf)))
    return found


# Given a width and the name of a layer or its scope (if it has one): the width it has instead.
Width = Callable[[int, str | None], int]


class Narrow:
    """A module of layers that makes them with other numbers of filters or units."""

    def __init__(self, layers: Any, width: Width):
        self._layers, self._width = layers, width

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._layers, name)
        if name in ("Conv2D", "Convolution2D", "SeparableConv2D", "Dense"):
            return partial(self._narrowed, found)
        return found

    def _narrowed(self, layer: Any, filters: int, *args, **kwargs) -> Any:
        return layer(self._width(filters, kwargs.get("name")), *args, **kwargs)


@contextmanager
def narrowed(module: ModuleType, width: Width) -> Iterator[None]:
    """Inside, a module of `keras.applications` builds small models."""
    narrow = Narrow(KERAS.layers, width)
    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(module, "layers", narrow))
        # With which some modules of Keras 2 replace their layers whenever they build a model.
        if hasattr(module, "VersionAwareLayers"):
            factory = mock.patch.object(module, "VersionAwareLayers", lambda: narrow)
            patches.enter_context(factory)
        yield


@dataclass(frozen=True)
class Row:
    """What is told of a family that passed."""

    mapping: str
    target: str
    # Variables of the source, and of the target.
    mapped: int
    dropped: int
    filled: int
    kept: int
    difference: float

    def cells(self) -> list[str]:
        counts = (str(number) for number in (self.mapped, self.dropped, self.filled, self.kept))
        return [self.mapping, self.target, VERSION, *counts, f"{self.difference:.1e}"]


ROWS: list[Row] = []
HEADINGS = ["mapping", "target", "TensorFlow", "mapped", "dropped", "filled", "kept", "difference"]


def table() -> list[str]:
    lines = [HEADINGS, *(row.cells() for row in ROWS)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
