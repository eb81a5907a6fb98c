"""Bundles that TensorFlow reads but does not write: by other programs, other builds, by hand."""

import struct
from pathlib import Path

import numpy as np
import tensorflow as tf

from generate.bundle import (
    ALL,
    VERSION,
    entry,
    field,
    fields,
    fixed32,
    header,
    shape,
    slice_key,
    tensor_slice,
    write_bundle,
)
from generate.containers import FLOATS, INTEGERS, QUANTIZED, SHAPES, random_tensor, save_v2
from generate.manifest import element_bytes
from generate.registry import case
from generate.table import Layout, crc32c, masked, varint
from generate.tf1 import PREFIX, rng_for

ONE = "00000-of-00001"
FLOAT, INT32, STRING = 1, 3, 7


class Data:
    """A data file that grows, and the entries for what is in it."""

    def __init__(self, shard: int = 0, start: bytes = b""):
        self.shard, self.content = shard, start

    def add(self, dtype: int, dims: tuple[int, ...], data: bytes, crc: int | None = None) -> bytes:
        self.content += data
        return entry(dtype, dims, data, len(self.content) - len(data), self.shard, crc)


def random_bytes(rng: np.random.Generator, dtype: str, dims: tuple[int, ...]) -> bytes:
    tensor = random_tensor(rng, dtype, dims)
    return element_bytes(tensor.numpy(), tensor.dtype)


def number_of(dtype: str) -> int:
    return tf.dtypes.as_dtype(dtype).as_datatype_enum


def floats(rng: np.random.Generator, count: int) -> bytes:
    return rng.standard_normal(count).astype("<f4").tobytes()


def strings(elements: list[bytes], order: str = "<", width: int = 1) -> tuple[bytes, int]:
    """As the data file holds them, and the sum that belongs into their entry."""
    lengths = crc32c(b"".join(struct.pack(f"{order}I", len(element)) for element in elements))
    stored = struct.pack(f"{order}I", masked(lengths))
    data = b"".join(varint(len(element), width) for element in elements)
    crc = crc32c(stored + b"".join(elements), lengths)
    return data + stored + b"".join(elements), crc


@case("odd/big_endian")
def big_endian(directory: Path) -> None:
    """From a machine that stores the most significant byte first."""
    rng, data = rng_for("odd/big_endian"), Data()
    index = {b"": header(big=True)}
    for dtype in (*FLOATS, *INTEGERS, *QUANTIZED, "bool"):
        width = np.dtype(tf.dtypes.as_dtype(dtype).as_numpy_dtype).itemsize
        if dtype.startswith("complex"):
            width //= 2
        for kind, dims in SHAPES.items():
            little = random_bytes(rng, dtype, dims)
            swapped = np.frombuffer(little, f"u{width}").byteswap().tobytes()
            index[f"{dtype}/{kind}".encode()] = data.add(number_of(dtype), dims, swapped)
    for name, dims, elements in (
        ("scalar", (), [b"scalar"]),
        ("matrix", (2, 2), [b"", b"ab", b"\xff\0", 300 * b"x"]),
        ("empty", (0, 3), []),
    ):
        text, crc = strings(elements, ">")
        index[f"string/{name}".encode()] = data.add(STRING, dims, text, crc)
    pieces = [((0, 2), ALL), ((2, 1), ALL)]
    for extents in pieces:
        rows = extents[0][1]
        values = np.frombuffer(floats(rng, 2 * rows), "<u4").byteswap().tobytes()
        index[slice_key("in_parts", extents)] = data.add(FLOAT, (rows, 2), values)
    index[b"in_parts"] = whole((3, 2), pieces)
    write_bundle(directory / PREFIX, index, {ONE: data.content})


def whole(dims: tuple[int, ...], pieces: list, also: bytes = b"") -> bytes:
    """The entry of a tensor that is stored in pieces."""
    slices = b"".join(field(7, tensor_slice(extents)) for extents in pieces)
    return field(1, FLOAT) + field(2, shape(dims)) + also + slices


LAYOUTS = {
    "unshortened_keys": Layout(shorten_keys=False, block_size=100),
    "restart_every_entry": Layout(restart_interval=1),
    "restart_only_once": Layout(restart_interval=1000),
    "block_per_entry": Layout(block_size=1),
    "metaindex_garbage": Layout(metaindex=b"garbage"),
    "metaindex_crc": Layout(metaindex_crc=1),
    "padded_footer": Layout(padding=b"\xee"),
    "gaps": Layout(gap=b"gap", block_size=200),
    "long_handles": Layout(after_handles=b"more", block_size=300),
    "snappy": Layout(compress_data=True),
    "snappy_blocks": Layout(compress_data=True, block_size=500),
    "snappy_index": Layout(compress_data=True, compress_index=True, block_size=1),
}


@case("odd/tables")
def tables(directory: Path) -> None:
    """The same index, laid out in ways that TensorFlow has no reason for."""
    rng, data = rng_for("odd/tables"), Data()
    index = {b"": header()}
    for number in range(24):
        name = f"model/layer_{number:02}/kernel".encode()
        index[name] = data.add(FLOAT, (3,), floats(rng, 3))
    for name, layout in LAYOUTS.items():
        write_bundle(directory / name, index, {ONE: data.content}, layout)


UNKNOWN = field(99, 5) + field(100, b"unknown") + fixed32(101, 7)


def rewritten(message: bytes, width: int = 1, backwards: bool = False) -> bytes:
    """Of an entry: all numbers in so many bytes, the fields in order or not."""
    out = []
    for number, value in fields(message):
        if number == 6:
            out.append(fixed32(number, int.from_bytes(value, "little")))
        else:
            out.append(field(number, value, width))
    return b"".join(reversed(out) if backwards else out)


@case("odd/messages")
def messages(directory: Path) -> None:
    """Entries as another library for Protocol Buffers could write them."""
    rng, data = rng_for("odd/messages"), Data(start=b"8 bytes.")

    def add(*dims: int) -> bytes:
        return data.add(FLOAT, dims, floats(rng, int(np.prod(dims))))

    def with_shape(message: bytes, *shapes: bytes) -> bytes:
        others = b"".join(
            fixed32(6, int.from_bytes(value, "little")) if number == 6 else field(number, value)
            for number, value in fields(message)
            if number != 2
        )
        return others + b"".join(field(2, given) for given in shapes)

    def dim(size: int) -> bytes:
        return field(2, field(1, size))

    index = {
        b"backwards": rewritten(add(2, 3), backwards=True),
        b"unknown_fields": UNKNOWN + add(2, 3) + UNKNOWN,
        b"unknown_in_shape": with_shape(add(2), UNKNOWN + field(2, field(1, 2) + UNKNOWN)),
        b"long_varints": rewritten(add(2, 3), width=5),
        b"explicit_zeros": field(3, 0) + add(2),
        b"zero_dim": with_shape(add(0), dim(0)),
        b"no_shape": with_shape(add()),
        b"unknown_rank": with_shape(add(), field(3, 1)),
        b"unknown_rank_false": with_shape(add(2), field(2, field(1, 2)) + field(3, 0)),
        b"dim_names": with_shape(add(2, 2), 2 * field(2, field(1, 2) + field(2, b"name"))),
        b"last_dtype_counts": field(1, STRING) + add(2),
        b"shapes_are_merged": with_shape(add(2, 3), dim(2), dim(3)),
    }
    index[b""] = header()
    write_bundle(directory / PREFIX, index, {ONE: data.content})


@case("odd/headers")
def headers(directory: Path) -> None:
    rng = rng_for("odd/headers")
    for name, given in {
        "producer_2": header(version=field(1, 2)),
        "min_consumer_0": header(version=VERSION + field(2, 0)),
        "min_consumer_1": header(version=VERSION + field(2, 1)),
        "bad_consumers": header(version=VERSION + field(3, 2) + field(3, field(0, 7)[1:])),
        "no_version": field(1, 1),
        "backwards": field(3, VERSION) + field(2, 0) + field(1, 1),
        "unknown_fields": UNKNOWN + header() + UNKNOWN,
        "unknown_endianness": field(1, 1) + field(2, 7) + field(3, VERSION),
        "long_varints": field(1, 1, width=5) + field(3, VERSION, width=3),
    }.items():
        data = Data()
        index = {b"": given, b"w": data.add(FLOAT, (2, 2), floats(rng, 4))}
        write_bundle(directory / name, index, {ONE: data.content})
    data = Data()
    index = {b"": b"", b"w": data.add(FLOAT, (2, 2), floats(rng, 4))}
    write_bundle(directory / "empty", index, {"00000-of-00000": data.content})
    write_bundle(directory / "nothing_else", {b"": header(shards=0)}, {})


@case("odd/ranges")
def ranges(directory: Path) -> None:
    """Bytes that belong to nobody, or to several tensors that see different things in them."""
    rng = rng_for("odd/ranges")
    content = rng.bytes(3) + floats(rng, 6) + rng.bytes(5) + floats(rng, 2) + b"trailing"

    def view(dtype: int, start: int, *dims: int) -> bytes:
        size = 4 * int(np.prod(dims))
        return entry(dtype, dims, content[start : start + size], start)

    index = {
        b"": header(),
        b"all": view(FLOAT, 3, 6),
        b"again": view(FLOAT, 3, 6),
        b"as_matrix": view(FLOAT, 3, 2, 3),
        b"as_integers": view(INT32, 3, 6),
        b"as_bytes": entry(4, (24,), content[3:27], 3),
        b"as_doubles": entry(2, (3,), content[3:27], 3),
        b"middle": view(FLOAT, 7, 3),
        b"overlapping": view(FLOAT, 15, 3),
        b"unaligned": view(FLOAT, 4, 5),
        b"after_a_gap": view(FLOAT, 32, 2),
        b"across_the_gap": entry(4, (len(content),), content, 0),
        b"nothing": view(FLOAT, 9, 0, 4),
        b"nothing_behind_the_end": view(FLOAT, 1000, 0),
    }
    write_bundle(directory / PREFIX, index, {ONE: content})


@case("odd/shards")
def shards(directory: Path) -> None:
    """Files that are not there because nobody needs them, and one that was not announced."""
    rng = rng_for("odd/shards")
    used = [Data(shard) for shard in (1, 4, 7)]
    index = {b"": header(shards=5)}
    for number in range(6):
        data = used[number % 3]
        index[f"w_{number}".encode()] = data.add(FLOAT, (number + 1,), floats(rng, number + 1))
    files = {f"{data.shard:05}-of-00005": data.content for data in used}
    unused = {"00002-of-00005": b"nobody's", "00001-of-00002": b"of another number"}
    write_bundle(directory / PREFIX, index, files | unused)


@case("odd/slices")
def slices(directory: Path) -> None:
    rng = rng_for("odd/slices")
    data = [Data(0, start=b"gap"), Data(1)]
    index = {b"": header(shards=2)}

    def add(name: str, dims: tuple[int, ...], pieces: list, also: bytes = b"") -> None:
        for number, extents in enumerate(pieces):
            part = tuple(dim if e is ALL else e[1] for dim, e in zip(dims, extents, strict=True))
            values = floats(rng, int(np.prod(part)))
            stored = data[number % 2].add(FLOAT, part, values)
            index[slice_key(name, extents)] = stored
        index[name.encode()] = whole(dims, pieces, also)

    rows = [((0, 2), ALL), ((2, 3), ALL)]
    add("other_order", (5, 2), rows[::-1])
    located = field(3, 1) + field(4, 4) + field(5, 99) + fixed32(6, 7)
    add("whole_has_a_place", (5, 2), rows, also=located)
    add("everything_in_numbers", (2, 3), [((0, 2), (0, 3))])
    add("nothing_at_all", (0, 2), [((0, 0), ALL)])
    add("piece_of_nothing", (2, 2), [((0, 0), ALL), ((0, 2), ALL)])
    add("two_digits", (100, 1), [((at, 1), ALL) for at in range(100)])
    files = {f"{one.shard:05}-of-00002": one.content for one in data}
    write_bundle(directory / PREFIX, index, files)


@case("odd/strings")
def texts(directory: Path) -> None:
    data = Data()
    long, long_crc = strings([b"", b"ab", 200 * b"x"], width=3)
    plain, plain_crc = strings([b"a", b"", b"\0\xff"])
    index = {
        b"": header(),
        b"long_varints": data.add(STRING, (3,), long, long_crc),
        b"no_bytes_at_all": data.add(STRING, (0, 2), b"", 0),
        b"plain": data.add(STRING, (3, 1), plain, plain_crc),
    }
    write_bundle(directory / PREFIX, index, {ONE: data.content})


@case("odd/high_bits")
def high_bits(directory: Path) -> None:
    """Bits that the type has no use for."""
    data = Data()
    every = bytes(range(0, 256, 5))
    index = {b"": header()}
    for dtype in ("bool", "int4", "uint4"):
        index[dtype.encode()] = data.add(number_of(dtype), (len(every),), every)
    write_bundle(directory / PREFIX, index, {ONE: data.content})


@case("odd/variants_tf215", tensorflow="2.15")
@case("odd/variants_tf221", tensorflow="2.21")
def variants(directory: Path) -> None:
    """Lists of tensors, between tensors that are none."""
    rng = rng_for("odd/variants")

    def tensor_list(count: int) -> tf.Tensor:
        values = rng.random((count, 2), np.float32)
        return tf.raw_ops.TensorListFromTensor(tensor=values, element_shape=tf.constant([2]))

    tensors = {f"{name}/plain": tf.constant(rng.random(3, np.float32)) for name in "abc"}
    tensors |= {"a/list": tensor_list(3), "b/empty": tensor_list(0)}
    tensors["b/several"] = tf.stack([tensor_list(1), tensor_list(2)])
    save_v2(directory, tensors)


@case("odd/iterator")
def iterator(directory: Path) -> None:
    """Where a program was in its data, beside a variable."""
    dataset = iter(tf.data.Dataset.range(5))
    next(dataset)
    w = tf.Variable(rng_for("odd/iterator").random(3, np.float32))
    tf.train.Checkpoint(data=dataset, w=w).write(str(directory / PREFIX))
