"""Variables in parts, in bundles: every type, every way of cutting, every place for the parts."""

import itertools
from pathlib import Path

import numpy as np
import tensorflow as tf

from generate.bundle import ALL, slice_spec
from generate.containers import FLOATS, INTEGERS, QUANTIZED, SMALL
from generate.registry import RUNNING, case
from generate.tf1 import PREFIX, randomise, rng_for, save, tf1, write_expected
from generate.v1 import GRIDS, Piece, pieces_of


def save_pieces(prefix: Path, pieces: list[Piece]) -> None:
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=[name for name, *_ in pieces],
        shape_and_slices=[slice_spec(dims, extents) for _, dims, extents, _ in pieces],
        tensors=[tensor for *_, tensor in pieces],
    )


@case("partitioned/dtypes_tf215", tensorflow="2.15")
@case("partitioned/dtypes_tf221", tensorflow="2.21")
def dtypes(directory: Path) -> None:
    """Every type in uneven parts, along the first axis and in a grid."""
    rng = rng_for("partitioned/dtypes")
    names = (*FLOATS, *INTEGERS, *QUANTIZED, "bool", *SMALL[RUNNING])
    pieces = [
        piece
        for name in names
        for layout in ("uneven", "grid")
        for piece in pieces_of(rng, name, f"{name}/{layout}", layout)
    ]
    strings = [tf.constant([[b"", b"ab"]]), tf.constant([[300 * b"x", b"\xff"]])]
    pieces += [("string", [2, 2], ((at, 1), ALL), text) for at, text in enumerate(strings)]
    save_pieces(directory / PREFIX, pieces)


@case("partitioned/layouts_tf215", tensorflow="2.15")
@case("partitioned/layouts_tf221", tensorflow="2.21")
def layouts(directory: Path) -> None:
    """The same as in `v1/slices`; and the parts in every order."""
    rng = rng_for("partitioned/layouts")
    pieces = [p for layout in GRIDS for p in pieces_of(rng, "float32", f"layouts/{layout}", layout)]
    pieces += pieces_of(rng, "int32", "a\0b", "rows") + pieces_of(rng, "int64", "é ü", "grid")
    rng.shuffle(pieces)
    save_pieces(directory / PREFIX, pieces)


def on_devices(count: int) -> tf1.Session:
    return tf1.Session(config=tf1.ConfigProto(device_count={"CPU": count}))


def partitioned_variables(devices: int) -> None:
    """Parts of 17, 17 and 16 rows, or along the second axis; biases too, and one in one part."""
    made = itertools.count()

    def in_turn(operation) -> str:
        return f"/cpu:{next(made) % devices if operation.type == 'VarHandleOp' else 0}"

    with tf1.variable_scope("model"), tf1.device(in_turn):
        rows, columns = tf1.fixed_size_partitioner(3), tf1.fixed_size_partitioner(2, axis=1)
        tf1.get_variable("embedding", [50, 3], partitioner=rows)
        tf1.get_variable("dense/kernel", [3, 7], partitioner=columns)
        tf1.get_variable("dense/bias", [7], partitioner=rows)
        tf1.get_variable("one_part", [4, 2], partitioner=tf1.fixed_size_partitioner(1))
        tf1.get_variable("whole", [2, 2])
        tf1.get_variable("half", [7, 2], tf.float16, partitioner=rows)
        tf1.get_variable("double", [7, 2, 2], tf.float64, partitioner=rows)


@case("partitioned/saver")
def by_saver(directory: Path) -> None:
    with tf.Graph().as_default(), tf1.Session() as session:
        partitioned_variables(devices=1)
        randomise(session, rng_for("partitioned/saver"))
        save(session, directory / PREFIX)
        write_expected(directory, session)


@case("partitioned/sharded")
def sharded(directory: Path) -> None:
    """Parts of a variable in different shards."""
    with tf.Graph().as_default(), on_devices(3) as session:
        partitioned_variables(devices=3)
        randomise(session, rng_for("partitioned/sharded"))
        save(session, directory / PREFIX, tf1.train.Saver(sharded=True))
        write_expected(directory, session)


@case("partitioned/spoiled_names")
def spoiled_names(directory: Path) -> None:
    """The longer the scope of `minimize`, the more is left of `part_0` in the names of slots.

    And of `part_10` there is one character less: `t_0` to `t_9`, then `_10`.
    """
    scopes = ("a", "ab", "opt", "train", "scoped", "a_scope", "long_scope")
    for name, scope, parts in [*((s, s, 2) for s in scopes), ("eleven_parts", "opt", 11)]:
        with tf.Graph().as_default(), tf1.Session() as session:
            rows = tf1.fixed_size_partitioner(parts)
            with tf1.variable_scope("net", partitioner=rows):
                w, b = tf1.get_variable("w", [13, 2]), tf1.get_variable("b", [11])
            loss = tf.reduce_sum(tf.square(w)) + tf.reduce_sum(tf.square(b))
            with tf1.variable_scope(scope):
                tf1.train.AdamOptimizer().minimize(loss)
            randomise(session, rng_for(f"partitioned/spoiled_names/{name}"))
            save(session, directory / name, write_meta_graph=False)


@case("partitioned/object_based", tensorflow="2.21")
def object_based(directory: Path) -> None:
    """TF2 cuts what is larger than a shard may be, in a type it cannot join again as well."""
    rng = rng_for("partitioned/object_based")

    def variable(dtype, *dims):
        return tf.Variable(rng.standard_normal(dims).astype(dtype))

    checkpoint = tf.train.Checkpoint(
        table=variable(np.float32, 20, 3),
        half=variable(np.float16, 40, 2),
        layers=[variable(np.float64, 7, 5), variable(np.float32, 3)],
        text=tf.Variable(["", "ab", "cde"]),
    )
    policy = tf.train.experimental.MaxShardSizePolicy(max_shard_size=100)
    options = tf.train.CheckpointOptions(experimental_sharding_callback=policy)
    checkpoint.write(str(directory / PREFIX), options)
