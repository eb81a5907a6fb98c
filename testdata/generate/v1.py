"""Checkpoints of version 1: a table that holds the values too, as TF1 wrote before 0.12."""

import struct
from pathlib import Path

import numpy as np
import tensorflow as tf

from generate.bundle import (
    ALL,
    Extents,
    field,
    fixed32,
    shape,
    slice_key,
    slice_spec,
    tensor_slice,
)
from generate.containers import SHAPES, random_tensor, save_v2, write_hexadecimal
from generate.registry import case
from generate.table import Layout, read_table, varint, write_table
from generate.tf1 import PREFIX, rng_for

DTYPES = (
    *("float32", "float64", "float16", "complex64", "complex128", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "qint8", "quint8", "qint32"),
)
STRINGS = {
    "string/scalar": tf.constant(b"scalar"),
    "string/no_bytes": tf.constant(b""),
    "string/matrix": tf.constant([[b"", b"ab"], [b"\xff\x00\xfe", 500 * b"long"]]),
    "string/empty": tf.constant([], tf.string, (0, 3)),
}


# Its variable, the shape of that, where in it, and what.
Piece = tuple[str, list[int], Extents, tf.Tensor]


def save_v1(file: Path, tensors: dict[str, tf.Tensor]) -> None:
    tf.raw_ops.Save(filename=str(file), tensor_names=list(tensors), data=list(tensors.values()))


def save_slices(file: Path, pieces: list[Piece]) -> None:
    tf.raw_ops.SaveSlices(
        filename=str(file),
        tensor_names=[name for name, *_ in pieces],
        shapes_and_slices=[slice_spec(dims, extents) for _, dims, extents, _ in pieces],
        data=[tensor for *_, tensor in pieces],
    )


@case("v1/dtypes_tf215", tensorflow="2.15")
@case("v1/dtypes_tf221", tensorflow="2.21")
def dtypes(directory: Path) -> None:
    rng = rng_for("v1/dtypes")
    tensors = {
        f"{name}/{kind}": random_tensor(rng, name, dims)
        for name in DTYPES
        for kind, dims in SHAPES.items()
    }
    save_v1(directory / PREFIX, tensors | STRINGS)
    write_hexadecimal(directory, tensors | STRINGS)


NAMES = (
    *("w", "a/b/c:0", "with spaces", "\0", "a\0b", "a\0", "é/ü", "日本", "~", "."),
    *("/", "//", "w/", "\x01", 300 * "n"),
)


@case("v1/names_tf215", tensorflow="2.15")
@case("v1/names_tf221", tensorflow="2.21")
def names(directory: Path) -> None:
    rng = rng_for("v1/names")
    save_v1(directory / PREFIX, {n: random_tensor(rng, "float32", (2,)) for n in NAMES})


@case("v1/many_blocks")
def many_blocks(directory: Path) -> None:
    """More than one block of values."""
    rng = rng_for("v1/many_blocks")
    tensors = {f"layer_{n:02}/kernel": random_tensor(rng, "float32", (30, 60)) for n in range(40)}
    save_v1(directory / PREFIX, tensors)


GRIDS: dict[str, tuple[list[int], list[Extents]]] = {
    "uneven": ([5, 3], [((0, 2), ALL), ((2, 2), ALL), ((4, 1), ALL)]),
    "rows": ([50, 2], [((0, 17), ALL), ((17, 17), ALL), ((34, 16), ALL)]),
    "columns": ([3, 5], [(ALL, (0, 2)), (ALL, (2, 1)), (ALL, (3, 2))]),
    "grid": ([5, 4], [((r, n), (c, m)) for r, n in [(3, 2), (0, 3)] for c, m in [(1, 3), (0, 1)]]),
    "explicit": ([4, 2], [((0, 3), (0, 2)), ((3, 1), (0, 2))]),
    "mixed": ([4, 2], [((0, 3), ALL), ((3, 1), (0, 1)), ((3, 1), (1, 1))]),
    "middle": ([2, 5, 3], [(ALL, (0, 2), ALL), (ALL, (2, 3), ALL)]),
    "cube": (
        [3, 2, 4],
        [
            *[((0, 1), ALL, ALL), ((1, 2), (0, 1), ALL)],
            *[((1, 2), (1, 1), (0, 3)), ((1, 2), (1, 1), (3, 1))],
        ],
    ),
    "whole": ([3, 2], [(ALL, ALL)]),
    "vector": ([70], [((0, 64),), ((64, 6),)]),
    "far": ([8200, 1], [((0, 63), ALL), ((63, 8129), ALL), ((8192, 8), ALL)]),
}


def piece_dims(dims: list[int], extents: Extents) -> tuple[int, ...]:
    return tuple(dim if e is ALL else e[1] for dim, e in zip(dims, extents, strict=True))


def pieces_of(rng: np.random.Generator, dtype: str, name: str, layout: str) -> list[Piece]:
    dims, grid = GRIDS[layout]
    return [(name, dims, e, random_tensor(rng, dtype, piece_dims(dims, e))) for e in grid]


@case("v1/slices_tf215", tensorflow="2.15")
@case("v1/slices_tf221", tensorflow="2.21")
def slices(directory: Path) -> None:
    """Every way of cutting, and every type cut into a grid."""
    rng = rng_for("v1/slices")
    layouts = [(f"layouts/{layout}", "float32", layout) for layout in GRIDS]
    types = [(f"types/{dtype}", dtype, "grid") for dtype in DTYPES]
    named = [("a\0b", "int32", "rows"), ("é ü", "int64", "grid")]
    pieces = [
        piece
        for name, dtype, layout in layouts + types + named
        for piece in pieces_of(rng, dtype, name, layout)
    ]
    strings = [tf.constant([[b"", b"ab"]]), tf.constant([[300 * b"x", b"\xff"]])]
    pieces += [("types/string", [2, 2], ((at, 1), ALL), text) for at, text in enumerate(strings)]
    save_slices(directory / PREFIX, pieces)


@case("v1/snappy")
def snappy(directory: Path) -> None:
    """Blocks compressed, as Google's own programs do."""
    rng = rng_for("v1/snappy")
    tensors = {
        f"layer_{number:02}/{dtype}": random_tensor(rng, dtype, (4, 3))
        for number in range(10)
        for dtype in ("float32", "float16", "int64")
    }
    # Repetitions from near and far.
    values = tf.constant(rng.standard_normal(50).astype(np.float32))
    tensors |= {"zeros": tf.zeros([100, 10]), "repeated": tf.tile(values, [40]), "once": values}
    # So far that two bytes cannot say it.
    tensors |= {"far/a": values, "far/b": tf.zeros([70000], tf.uint8), "far/c": values}
    plain = directory / "plain"
    save_v1(plain, tensors)
    content = read_table(plain.read_bytes())
    for name, layout in {
        "data": Layout(compress_data=True),
        "small_blocks": Layout(compress_data=True, block_size=2000),
        "index_too": Layout(compress_data=True, compress_index=True, block_size=1),
    }.items():
        (directory / name).write_bytes(write_table(content, layout))
    plain.unlink()


WHOLE = (ALL, ALL)
DIMS = shape([2, 2])
UNKNOWN = field(99, 5) + field(100, b"unknown") + fixed32(101, 7)
F32, F64, I32, I8, TEXT, C64, I64, BOOL, F16 = 1, 2, 3, 6, 7, 8, 9, 10, 19
V = struct.pack("<4f", 1.5, -2.0, 3.25, 4.0)


def meta(name: bytes, dtype: int = F32, dims: bytes = DIMS, extents: Extents = WHOLE) -> bytes:
    """A SavedSliceMeta."""
    described = field(1, name) + field(2, dims) + field(3, dtype)
    return described + field(4, tensor_slice(extents))


def record(name: bytes, values: bytes, extents: Extents = WHOLE) -> bytes:
    return field(2, field(1, name) + field(2, tensor_slice(extents)) + field(3, values))


def singly(number: int, values: bytes, width: int = 4) -> bytes:
    """A repeated field that is not packed."""
    tag = varint(number << 3 | (5 if width == 4 else 1))
    return b"".join(tag + values[at : at + width] for at in range(0, len(values), width))


def varints(*values: int) -> bytes:
    return b"".join(varint(value) for value in values)


FLOATS_WRITTEN = {
    "packed": field(5, V),
    "one_by_one": singly(5, V),
    "in_chunks": field(5, V[:4]) + field(5, b"") + field(5, V[4:]),
    "packed_and_not": singly(5, V[:4]) + field(5, V[4:12]) + singly(5, V[12:]),
    "type_and_shape": field(1, F32) + field(2, DIMS) + field(5, V),
    "another_type": field(1, I32) + field(2, shape([9])) + field(5, V),
    "unknown_fields": UNKNOWN + field(5, V) + UNKNOWN,
    "other_fields": field(6, V + V) + field(5, V) + field(7, 1),
}
OTHERS_WRITTEN = {
    "double/one_by_one": (F64, singly(6, struct.pack("<4d", 1.5, -2, 1e300, 0), 8)),
    "complex/packed_and_not": (C64, field(9, V) + singly(9, V[::-1])),
    "int32/short_negative": (I32, field(7, varints(2**32 - 1, 2**32 - 2, -3, 2**31 - 1))),
    "int32/one_by_one": (I32, b"".join(field(7, value) for value in (5, -1, 7, -(2**31)))),
    "int32/long": (I32, field(7, varint(5, 5) + varint(6, 10) + varints(7, 2**32 + 3))),
    "int8/too_large": (I8, field(7, varints(200, -1, 300, 127))),
    "int64/packed_and_not": (I64, field(10, -5) + field(10, varints(7, 2**62, -(2**63)))),
    "bool/large": (BOOL, field(11, varints(0, 2, 300, 1))),
    "bool/one_by_one": (BOOL, field(11, 0) + field(11, 1) + field(11, 1) + field(11, 0)),
    "half/one_by_one": (F16, b"".join(field(13, bits) for bits in (0x3C00, 0xBC00, 1, 0x7C00))),
    "half/too_large": (F16, field(13, varints(0x13C00, -1, 1, 2))),
    "string/some": (TEXT, b"".join(field(8, text) for text in (b"a", b"", b"\0\xff", b"cd"))),
}


@case("v1/messages")
def messages(directory: Path) -> None:
    """Records as another library for Protocol Buffers could write them."""
    metas, table = [], {}

    def add(name: str, described: bytes, stored: bytes, extents: Extents = WHOLE) -> None:
        metas.append(described)
        table[slice_key(name, extents)] = stored

    for name, values in FLOATS_WRITTEN.items():
        full = f"float/{name}"
        add(full, meta(full.encode()), record(full.encode(), values))
    for name, (dtype, values) in OTHERS_WRITTEN.items():
        add(name, meta(name.encode(), dtype), record(name.encode(), values))
    packed = field(5, V)
    add("record/of_another_name", meta(b"record/of_another_name"), record(b"x", packed))
    add("record/nameless", meta(b"record/nameless"), field(2, field(3, packed)))
    backwards = field(3, packed) + field(2, tensor_slice(WHOLE)) + field(1, b"record/backwards")
    add("record/backwards", meta(b"record/backwards"), field(2, backwards))
    halves = field(2, field(3, field(5, V[:8]))) + field(2, field(3, field(5, V[8:])))
    add("record/in_two", meta(b"record/in_two"), halves)
    surrounded = UNKNOWN + field(2, UNKNOWN + field(3, packed) + UNKNOWN) + UNKNOWN
    add("record/unknown_fields", UNKNOWN + meta(b"record/unknown_fields") + UNKNOWN, surrounded)
    parts = field(4, tensor_slice(WHOLE)) + field(3, F32) + field(2, DIMS)
    add("meta/backwards", parts + field(1, b"meta/backwards"), record(b"meta/backwards", packed))
    named = 2 * field(2, field(1, 2) + field(2, b"name"))
    add("meta/dim_names", meta(b"meta/dim_names", dims=named), record(b"meta/dim_names", packed))
    explicit = ((0, 2), (0, 2))
    described = meta(b"meta/explicit", extents=explicit)
    add("meta/explicit", described, record(b"meta/explicit", packed, explicit), explicit)
    scalar = field(3, F32) + field(4, b"")
    one = record(b"", singly(5, V[:4]), ())
    add("meta/no_shape", field(1, b"meta/no_shape") + scalar, one, ())
    ranks = field(1, b"meta/unknown_rank") + field(2, field(3, 1))
    add("meta/unknown_rank", ranks + scalar, one, ())

    table[b"\0zz"] = b"a record that nobody knows"
    version = field(2, field(1, 1))
    # In no order; and a message in two halves is one message.
    first, second = metas[::2], metas[1::2]
    listed = [b"".join(field(1, one) for one in half) for half in (second, first)]
    table[b""] = field(1, listed[0] + UNKNOWN) + field(1, listed[1] + version)
    (directory / PREFIX).write_bytes(write_table(table))
    listed_twice(directory)


def listed_twice(directory: Path) -> None:
    """A variable that is listed once for each of its slices."""
    halves = {((0, 1), ALL): V[:8], ((1, 1), ALL): V[8:]}
    table = {slice_key("w", e): record(b"w", field(5, data), e) for e, data in halves.items()}
    listed = b"".join(field(1, meta(b"w", extents=extents)) for extents in halves)
    for name, version in {
        "listed_twice": field(2, field(1, 1)),
        "no_version": b"",
        "producer_2": field(2, field(1, 2)),
    }.items():
        header = {b"": field(1, listed + version)}
        (directory / name).write_bytes(write_table(table | header))


@case("v1/beside_v2")
def beside_v2(directory: Path) -> None:
    """Both versions under one name: the bundle is what counts."""
    rng = rng_for("v1/beside_v2")
    save_v1(directory / PREFIX, {"old": random_tensor(rng, "float32", (2,))})
    save_v2(directory, {"new": random_tensor(rng, "float32", (2,))})
