"""Writes bundles as large as wanted, without TensorFlow."""

import os
import struct

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def field(number, value):
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def block(entries):
    """A block in which every key stands whole, with its trailer."""
    out, restarts = b"", []
    for key, value in entries:
        restarts.append(len(out))
        out += varint(0) + varint(len(key)) + varint(len(value)) + key + value
    restarts = restarts or [0]
    out += b"".join(struct.pack("<I", at) for at in restarts) + struct.pack("<I", len(restarts))
    return out + b"\0" + struct.pack("<I", crc32c(out + b"\0"))


def index(entries):
    data, meta = block(entries), block([])
    handle = lambda at, length: varint(at) + varint(length - 5)
    last = block([(entries[-1][0], handle(0, len(data)))])
    footer = handle(len(data), len(meta)) + handle(len(data) + len(meta), len(last))
    footer = footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    return data + meta + last + footer


def write(prefix, tensors, rows=1024):
    """So many matrices `layer_N/kernel` of 1024 columns, all of the same random bytes."""
    content = os.urandom(64) * (rows * 1024 * 4 // 64)
    crc = crc32c(content)
    entries = [(b"", field(1, 1) + field(3, field(1, 1)))]
    for number in range(tensors):
        dims = b"".join(field(2, field(1, size)) for size in (rows, 1024))
        entry = field(1, 1) + field(2, dims) + field(4, number * len(content))
        entry += field(5, len(content)) + varint(6 << 3 | 5) + struct.pack("<I", crc)
        entries.append((f"layer_{number:03}/kernel".encode(), entry))
    with open(f"{prefix}.data-00000-of-00001", "wb") as file:
        for _ in range(tensors):
            file.write(content)
    with open(f"{prefix}.index", "wb") as file:
        file.write(index(entries))
    return tensors * len(content)
