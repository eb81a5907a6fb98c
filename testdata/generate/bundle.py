"""The messages inside the tables of checkpoints, and bundles put together from them by hand."""

import struct
from collections.abc import Iterable
from pathlib import Path

from generate.table import Layout, crc32c, masked, read_table, read_varint, varint, write_table

# `-` in a slice: all of this dimension.
ALL = None
Extents = tuple[tuple[int, int] | None, ...]


def field(number: int, value: int | bytes, width: int = 1) -> bytes:
    if isinstance(value, int):
        return varint(number << 3, width) + varint(value, width)
    return varint(number << 3 | 2, width) + varint(len(value), width) + value


def fixed32(number: int, value: int) -> bytes:
    return varint(number << 3 | 5) + struct.pack("<I", value)


def fields(message: bytes) -> list[tuple[int, int | bytes]]:
    found, at = [], 0
    while at < len(message):
        tag, at = read_varint(message, at)
        if tag & 7 == 0:
            value, at = read_varint(message, at)
        else:
            size, at = {1: (8, at), 5: (4, at)}.get(tag & 7) or read_varint(message, at)
            value, at = message[at : at + size], at + size
        found.append((tag >> 3, value))
    return found


def all_of(message: bytes, number: int) -> list:
    return [value for found, value in fields(message) if found == number]


def shape(dims: Iterable[int]) -> bytes:
    return b"".join(field(2, field(1, dim) if dim else b"") for dim in dims)


def dims_of(message: bytes) -> list[int]:
    return [sum(all_of(dim, 1)) for dim in all_of(message, 2)]


def extents_of(message: bytes) -> Extents:
    """Of a TensorSliceProto."""
    extents = []
    for extent in all_of(message, 1):
        length = all_of(extent, 2)
        extents.append((sum(all_of(extent, 1)), length[0]) if length else ALL)
    return tuple(extents)


def tensor_slice(extents: Extents) -> bytes:
    out = b""
    for extent in extents:
        if extent is ALL:
            out += field(1, b"")
        else:
            start, length = extent
            out += field(1, (field(1, start) if start else b"") + field(2, length))
    return out


def slice_spec(dims: list[int], extents: Extents) -> str:
    """As TensorFlow's ops take it."""
    texts = ["-" if e is ALL else f"{e[0]},{e[1]}" for e in extents]
    return " ".join([*map(str, dims), ":".join(texts)])


def _ordered_unsigned(value: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "big")


def _ordered_signed(value: int) -> bytes:
    """As many leading ones as there are bytes, then the sign turned over."""
    size = 1
    while not -(1 << 7 * size - 1) <= value < 1 << 7 * size - 1:
        size += 1
    ones = ((1 << size) - 1) << 7 * size
    return (value & (1 << 8 * size) - 1 ^ ones).to_bytes(size, "big")


def slice_key(name: str, extents: Extents) -> bytes:
    text = name.encode().replace(b"\0", b"\0\xff")
    out = _ordered_unsigned(0) + text + b"\0\1" + _ordered_unsigned(len(extents))
    for extent in extents:
        start, length = (0, -1) if extent is ALL else extent
        out += _ordered_signed(start) + _ordered_signed(length)
    return out


def stored_slices(prefix: Path) -> dict[str, list[Extents]]:
    """Which parts of which tensors there are, whatever the version of the checkpoint."""
    found: dict[str, list[Extents]] = {}
    index = prefix.with_name(f"{prefix.name}.index")
    if index.exists():
        for key, entry in read_table(index.read_bytes()).items():
            if key and (slices := all_of(entry, 7)):
                found[key.decode()] = [extents_of(one) for one in slices]
        return found
    for file in sorted(prefix.parent.glob(prefix.name)):
        (meta,) = all_of(read_table(file.read_bytes())[b""], 1)
        for tensor in all_of(meta, 1):
            (name,) = all_of(tensor, 1)
            slices = [extents_of(one) for one in all_of(tensor, 4)]
            found.setdefault(name.decode(), []).extend(slices)
    return found


VERSION = field(1, 1)


def header(shards: int = 1, big: bool = False, version: bytes = VERSION) -> bytes:
    return field(1, shards) + (field(2, 1) if big else b"") + field(3, version)


def entry(
    dtype: int,
    dims: Iterable[int],
    data: bytes,
    offset: int,
    shard: int = 0,
    crc: int | None = None,
) -> bytes:
    """Where `data` is and what it means; `crc` where it is not that of the bytes."""
    out = field(1, dtype) + field(2, shape(dims))
    out += b"".join(field(n, v) for n, v in [(3, shard), (4, offset), (5, len(data))] if v)
    return out + fixed32(6, masked(crc32c(data) if crc is None else crc))


def write_bundle(
    prefix: Path, index: dict[bytes, bytes], shards: dict[str, bytes], layout: Layout = Layout()
) -> None:
    """`shards` by what follows `.data-` in their names."""
    prefix.with_name(f"{prefix.name}.index").write_bytes(write_table(index, layout))
    for number, data in shards.items():
        prefix.with_name(f"{prefix.name}.data-{number}").write_bytes(data)


def write_variables(prefix: Path, variables: dict[str, tuple[int, Iterable[int], bytes]]) -> None:
    """As TF1's `Saver` does: each with the number of its type, its shape, and its bytes."""
    index, content = {b"": header()}, b""
    for name, (dtype, dims, data) in sorted(variables.items()):
        index[name.encode()] = entry(dtype, dims, data, len(content))
        content += data
    write_bundle(prefix, index, {"00000-of-00001": content})
