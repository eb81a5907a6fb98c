"""Which function writes which case, and under which TensorFlow."""

import os

# TensorFlow reads these once, at import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import importlib
import shutil
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from generate.manifest import write_manifest

TESTDATA = Path(__file__).resolve().parent.parent
RUNNING = ".".join(tf.__version__.split(".")[:2])
# Where Keras 3 has taken its place, TF1's layers are gone.
MODULES = {
    "2.15": (
        *("models", "auto_names", "training", "optimizers", "keras_training"),
        *("containers", "v1", "v1_saver", "partitioned", "odd"),
        *("objects", "templates", "foreign", "recurrent", "converted"),
    ),
    "2.21": ("containers", "v1", "partitioned", "odd", "objects", "templates", "converted"),
}
# Written by hand; everything else in a case's directory is generated.
KEPT = ("*.yaml",)


CASES: dict[str, Callable[[Path], None]] = {}


def case(name: str, tensorflow: str = "2.15"):
    """Registers `write(directory)`; a case of another TensorFlow is not ours to write."""

    def register(write: Callable[[Path], None]) -> Callable[[Path], None]:
        if tensorflow == RUNNING:
            CASES[name] = write
        return write

    return register


def clear(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for entry in directory.iterdir():
        if any(entry.match(pattern) for pattern in KEPT):
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def main(names: list[str]) -> int:
    # TF1 is what these programs are about.
    warnings.filterwarnings("ignore", message=".*is deprecated", category=UserWarning)
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    for module in MODULES[RUNNING]:
        importlib.import_module(f"generate.{module}")
    unknown = [name for name in names if name not in CASES]
    if unknown:
        known = ", ".join(sorted(CASES))
        print(f"not written by TensorFlow {RUNNING}: {', '.join(unknown)}\nit writes: {known}")
        return 2
    for name in names or sorted(CASES):
        directory = TESTDATA / name
        clear(directory)
        # Each case starts from nothing: names are counted per graph and per Keras session.
        tf.compat.v1.reset_default_graph()
        tf.keras.backend.clear_session()
        # Even a graph that is only saved has random seeds in it.
        tf.keras.utils.set_random_seed(1)
        CASES[name](directory)
        write_manifest(directory)
        print(name, file=sys.stderr)
    return 0
