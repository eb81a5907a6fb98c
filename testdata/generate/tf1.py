"""A TF1 program as a fixture: its checkpoint, what it was fed and what it computed."""

import re
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import numpy as np
import tensorflow as tf

from generate.registry import case

tf1 = tf.compat.v1
PREFIX = "model.ckpt"
# A graph larger than this is no use to anybody in a repository.
LARGEST_META = 60_000


def rng_for(name: str) -> np.random.Generator:
    return np.random.default_rng(crc32(name.encode()))


def random_value(rng: np.random.Generator, name: str, dtype: np.dtype, shape: tuple) -> np.ndarray:
    """Fresh biases and moving statistics are all alike (0 or 1) and would hide a swap."""
    if name.endswith(("variance", "stddev")):
        return rng.uniform(0.5, 1.5, shape).astype(dtype)
    return (0.4 * rng.standard_normal(shape)).astype(dtype)


def randomise(session: tf1.Session, rng: np.random.Generator) -> None:
    session.run(tf1.global_variables_initializer())
    for variable in tf1.global_variables():
        if variable.dtype.is_floating:
            dtype, shape = variable.dtype.as_numpy_dtype, tuple(variable.shape)
            variable.load(random_value(rng, variable.op.name, dtype, shape), session)


def save(
    session: tf1.Session,
    prefix: Path,
    saver: tf1.train.Saver | None = None,
    largest_meta: int = LARGEST_META,
    **options,
) -> None:
    saver = saver or tf1.train.Saver()
    options = {"write_state": False} | options
    written = saver.save(session, str(prefix), **options)
    # Of version 1 in shards it is a glob.
    meta = Path(re.sub(r"-\?+-of-\d+$", "", written) + ".meta")
    if meta.exists() and meta.stat().st_size > largest_meta:
        meta.unlink()


def variable_values(session: tf1.Session) -> dict[str, np.ndarray]:
    return {f"variables/{v.op.name}": session.run(v) for v in tf1.global_variables()}


def write_expected(directory: Path, session: tf1.Session, **arrays: np.ndarray) -> None:
    np.savez(directory / "expected.npz", **arrays, **variable_values(session))


def tf1_model(name: str, inputs: tuple[int, ...]):
    """Registers `build(x) -> y` as a case: random variables, saved by a TF1 Saver."""

    def register(build: Callable[[tf.Tensor], tf.Tensor]) -> Callable:
        @case(name)
        def write(directory: Path) -> None:
            rng = rng_for(name)
            with tf.Graph().as_default(), tf1.Session() as session:
                x = tf1.placeholder(tf.float32, inputs)
                y = build(x)
                randomise(session, rng)
                fed = rng.standard_normal(inputs).astype(np.float32)
                save(session, directory / PREFIX)
                computed = session.run(y, {x: fed})
                write_expected(directory, session, inputs=fed, outputs=computed)

        return build

    return register
