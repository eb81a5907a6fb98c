"""Running the binary under test, and judging what TensorFlow makes of its output."""

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import tensorflow as tf

TESTDATA = Path(__file__).resolve().parents[2] / "testdata"
LARGEST_DIFFERENCE = 1e-5


def binary() -> Path:
    """A test without its subject fails; it is never skipped."""
    named = os.environ.get("CKPTMAP")
    if not named:
        raise RuntimeError("the environment variable CKPTMAP must name the ckptmap binary")
    path = Path(named).resolve()
    if not path.is_file():
        raise RuntimeError(f"CKPTMAP names no file: {path}")
    return path


def run(*arguments: str | Path, status: int = 0) -> str:
    """Runs the binary, which must exit as it should; returns all that it said."""
    command = [str(part) for part in (binary(), *arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    said = f"{done.stdout}{done.stderr}"
    assert done.returncode == status, f"{' '.join(command)}\nexit status {done.returncode}\n{said}"
    return said


def convert(source: Path, rules: Path, output: Path, *flags: str | Path) -> str:
    """Converts and returns the new checkpoint's prefix, as TensorFlow wants it."""
    run("convert", source, "--map", rules, "-o", output, *flags)
    return str(output)


def convert_case(case: str, rules: str, output: Path, *flags: str) -> str:
    directory = TESTDATA / case
    return convert(directory / "model.ckpt", directory / rules, output, *flags)


def tf1_values(case: str) -> dict[str, np.ndarray]:
    """Every variable TF1 had, by its TF1 name."""
    marker = "variables/"
    with np.load(TESTDATA / case / "expected.npz") as arrays:
        return {n.removeprefix(marker): arrays[n] for n in arrays if n.startswith(marker)}


def tf1_run(case: str) -> tuple[np.ndarray, np.ndarray]:
    """What TF1 was fed and what it computed."""
    with np.load(TESTDATA / case / "expected.npz") as arrays:
        return arrays["inputs"], arrays["outputs"]


def fill_with_noise(name: str, variables: Mapping[str, tf.Variable]) -> None:
    """So that nothing is right before the restore, and everything wrong is visible."""
    rng = np.random.default_rng(crc32(name.encode()))
    for variable in variables.values():
        noise = rng.uniform(1, 2, tuple(variable.shape))
        variable.assign(noise.astype(tf.as_dtype(variable.dtype).as_numpy_dtype))


def assert_same_outputs(computed: np.ndarray, outputs: np.ndarray) -> None:
    difference = np.max(np.abs(np.asarray(computed) - outputs))
    allowed = LARGEST_DIFFERENCE * np.max(np.abs(outputs))
    assert difference <= allowed, f"outputs differ by {difference}, allowed are {allowed}"


def assert_bit_identical(variables: Mapping[str, tf.Variable], values: Mapping) -> None:
    """`variables` by TF1 name must be the whole model, and hold exactly the TF1 values."""
    assert sorted(variables) == sorted(values)
    wrong = [
        name
        for name, variable in variables.items()
        if variable.numpy().tobytes() != values[name].tobytes()
        or tuple(variable.shape) != values[name].shape
    ]
    assert not wrong, f"not the values TF1 had: {wrong}"


def leaves(scope: str, layer, *names: str) -> dict[str, tf.Variable]:
    """A layer's variables under the names TF1 gave them in `scope`."""
    return {f"{scope}/{name}": getattr(layer, name) for name in names or ("kernel", "bias")}


@dataclass(frozen=True)
class Program:
    """A TF2 program: what it checkpoints, what it computes, and which variable was which."""

    objects: dict[str, object]
    call: Callable[[np.ndarray], np.ndarray]
    # Not known before the first call, when Keras creates them.
    variables: Callable[[], dict[str, tf.Variable]]

    def build(self, case: str, inputs: np.ndarray) -> None:
        self.call(inputs)
        fill_with_noise(case, self.variables())

    def checkpoint(self) -> tf.train.Checkpoint:
        return tf.train.Checkpoint(**self.objects)


def plant(root: tf.Module, path: list[str], variable: tf.Variable) -> None:
    """Makes `variable` reachable from `root` by these attributes."""
    *modules, leaf = path
    for label in modules:
        if not hasattr(root, label):
            setattr(root, label, tf.Module())
        root = getattr(root, label)
    setattr(root, leaf, variable)


def restore(program: Program, prefix: str, how: str = "restore") -> None:
    status = getattr(program.checkpoint(), how)(prefix)
    status.assert_consumed()
    status.assert_existing_objects_matched()


def assert_continues(case: str, program: Program, prefix: str) -> None:
    """The whole promise: the program restores the checkpoint and goes on as TF1 did."""
    inputs, outputs = tf1_run(case)
    program.build(case, inputs)
    restore(program, prefix)
    assert_bit_identical(program.variables(), tf1_values(case))
    assert_same_outputs(program.call(inputs), outputs)
