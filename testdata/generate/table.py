"""Tables by hand: TensorFlow reads more of them than it writes."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER, TRAILER = 48, 5
POLYNOMIAL = 0x82F63B78

Entries = list[tuple[bytes, bytes]]


def _crc_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


CRC_TABLE = _crc_table()


def crc32c(data: bytes, crc: int = 0) -> int:
    """Goes on from the `crc` of what came before."""
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(value: int, width: int = 1) -> bytes:
    """In at least so many bytes: some writers leave room."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80 or len(out) + 1 < width:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _literal(data: bytes) -> bytes:
    length = len(data) - 1
    if length < 60:
        return bytes([length << 2]) + data
    size = (length.bit_length() + 7) // 8
    return bytes([(59 + size) << 2]) + length.to_bytes(size, "little") + data


def _copy(distance: int, length: int) -> bytes:
    if length < 12 and distance < 1 << 11:
        return bytes([distance >> 8 << 5 | (length - 4) << 2 | 1, distance & 0xFF])
    size, kind = (2, 2) if distance < 1 << 16 else (4, 3)
    return bytes([(length - 1) << 2 | kind]) + distance.to_bytes(size, "little")


def snappy(data: bytes) -> bytes:
    """Snappy's raw format; every copy is of the last place that began with the same four bytes."""
    out, pending, at = [varint(len(data))], 0, 0
    seen: dict[bytes, int] = {}
    while at + 4 <= len(data):
        start = data[at : at + 4]
        earlier, seen[start] = seen.get(start), at
        if earlier is None:
            at += 1
            continue
        if at > pending:
            out.append(_literal(data[pending:at]))
        length = 4
        end = min(64, len(data) - at)
        while length < end and data[earlier + length] == data[at + length]:
            length += 1
        out.append(_copy(at - earlier, length))
        at += length
        pending = at
    if pending < len(data):
        out.append(_literal(data[pending:]))
    return b"".join(out)


@dataclass(frozen=True)
class Layout:
    """How to lay a table out; what TensorFlow does is the default."""

    block_size: int = 1 << 18
    restart_interval: int = 16
    compress_data: bool = False
    compress_index: bool = False
    shorten_keys: bool = True
    gap: bytes = b""
    after_handles: bytes = b""
    metaindex: bytes = bytes.fromhex("0000000001000000")
    metaindex_crc: int = 0
    padding: bytes = b"\0"


def _block(entries: Entries, interval: int) -> bytes:
    content, restarts, last = bytearray(), [], b""
    for number, (key, value) in enumerate(entries):
        shared = 0
        if number % interval:
            shared = len(os.path.commonprefix([last, key]))
        else:
            restarts.append(len(content))
        content += varint(shared) + varint(len(key) - shared) + varint(len(value))
        content += key[shared:] + value
        last = key
    restarts = restarts or [0]
    return bytes(content) + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def _separator(before: bytes, after: bytes) -> bytes:
    at = len(os.path.commonprefix([before, after]))
    if at < min(len(before), len(after)) and before[at] + 1 < after[at]:
        return before[:at] + bytes([before[at] + 1])
    return before


def _groups(entries: Entries, block_size: int) -> Iterator[Entries]:
    group: Entries = []
    size = 0
    for key, value in entries:
        group.append((key, value))
        size += len(key) + len(value)
        if size >= block_size:
            yield group
            group, size = [], 0
    if group:
        yield group


def write_table(content: dict[bytes, bytes], layout: Layout = Layout()) -> bytes:
    out = bytearray()

    def add(block: bytes, compress: bool = False, damage: int = 0) -> bytes:
        stored, kind = (snappy(block), b"\1") if compress else (block, b"\0")
        handle = varint(len(out)) + varint(len(stored))
        crc = masked(crc32c(stored + kind)) ^ damage
        out.extend(stored + kind + struct.pack("<I", crc) + layout.gap)
        return handle

    groups = list(_groups(sorted(content.items()), layout.block_size))
    index = []
    for group, following in zip(groups, [*groups[1:], None], strict=True):
        last = group[-1][0]
        if layout.shorten_keys:
            after = following[0][0] if following else b"\xff" * (len(last) + 1)
            last = _separator(last, after)
        block = _block(group, layout.restart_interval)
        index.append((last, add(block, layout.compress_data) + layout.after_handles))
    metaindex = add(layout.metaindex, damage=layout.metaindex_crc)
    footer = metaindex + add(_block(index, 1), layout.compress_index)
    padding = layout.padding * (FOOTER - len(MAGIC))
    footer += padding[: FOOTER - len(MAGIC) - len(footer)]
    return bytes(out) + footer + MAGIC


def _block_entries(data: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    assert data[offset + size] == 0, "compressed"
    block = data[offset : offset + size]
    (restarts,) = struct.unpack("<I", block[-4:])
    end, at, key = size - 4 * (restarts + 1), 0, b""
    while at < end:
        shared, at = read_varint(block, at)
        unshared, at = read_varint(block, at)
        length, at = read_varint(block, at)
        key = key[:shared] + block[at : at + unshared]
        at += unshared
        yield key, block[at : at + length]
        at += length


def read_table(data: bytes) -> dict[bytes, bytes]:
    """Only what is not compressed."""
    footer = data[-FOOTER:]
    assert footer.endswith(MAGIC)
    handle, at = [], 0
    for _ in range(4):
        value, at = read_varint(footer, at)
        handle.append(value)
    content = {}
    for _, value in _block_entries(data, handle[2], handle[3]):
        offset, at = read_varint(value, 0)
        size, _ = read_varint(value, at)
        content |= _block_entries(data, offset, size)
    return content
