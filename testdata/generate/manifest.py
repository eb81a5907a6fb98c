"""`manifest.json`: what TensorFlow reads from a fixture, for tests that have no TensorFlow."""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
POLYNOMIAL = 0x82F63B78
# Types of less than a byte: NumPy extends their sign, the file keeps the low bits only.
LOW_BITS = {"int4": 0x0F, "uint4": 0x0F, "float4_e2m1fn": 0x0F, "int2": 0x03, "uint2": 0x03}


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


TABLE = _table()


def crc32c(data: bytes) -> str:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return f"{crc ^ 0xFFFFFFFF:08x}"


def element_bytes(array: np.ndarray, dtype: tf.DType) -> bytes:
    """Row-major, little-endian, as the data file holds them."""
    data = np.ascontiguousarray(array).tobytes()
    if mask := LOW_BITS.get(dtype.name):
        data = bytes(byte & mask for byte in data)
    return data


def _tensor(reader, name: str, dtype: tf.DType, shape: list[int]) -> dict:
    described = {"dtype": dtype.name, "shape": shape}
    try:
        value = reader.get_tensor(name)
    except ValueError as error:
        if "sufficient slices" not in str(error):
            raise
        return described | {"slices": "incomplete"}
    if dtype == tf.string:
        elements = [value] if isinstance(value, bytes) else list(np.ravel(value))
        strings = [{"size": len(element), "crc32c": crc32c(element)} for element in elements]
        return described | {"strings": strings}
    return described | {"crc32c": crc32c(element_bytes(value, dtype))}


def describe(prefix: Path) -> dict:
    reader = tf.train.load_checkpoint(str(prefix))
    dtypes = reader.get_variable_to_dtype_map()
    shapes = reader.get_variable_to_shape_map()
    return {
        "format": "object-based" if OBJECT_GRAPH in dtypes else "name-based",
        "tensors": {
            name: _tensor(reader, name, tf.dtypes.as_dtype(dtypes[name]), shapes[name])
            for name in sorted(dtypes)
        },
    }


def write_manifest(directory: Path) -> None:
    prefixes = sorted(index.with_suffix("") for index in directory.rglob("*.index"))
    if not prefixes:
        return
    checkpoints = {str(p.relative_to(directory)): describe(p) for p in prefixes}
    with open(directory / "manifest.json", "w", encoding="utf-8") as out:
        _write(out, {"tensorflow": tf.__version__, "checkpoints": checkpoints})


def _write(out, manifest: dict) -> None:
    """JSON with one line per tensor: short, and differences can be read."""
    out.write(f'{{\n"tensorflow": {json.dumps(manifest["tensorflow"])},\n"checkpoints": {{\n')
    checkpoints = []
    for prefix, content in manifest["checkpoints"].items():
        lines = ",\n".join(
            f"{json.dumps(n)}: {json.dumps(t)}" for n, t in content["tensors"].items()
        )
        kind = json.dumps(content["format"])
        checkpoints.append(
            f'{json.dumps(prefix)}: {{"format": {kind}, "tensors": {{\n{lines}\n}}}}'
        )
    out.write(",\n".join(checkpoints) + "\n}\n}\n")
