"""`manifest.json`: what TensorFlow reads from a fixture, for tests that have no TensorFlow."""

import json
import re
from pathlib import Path

import numpy as np
import tensorflow as tf

from generate.bundle import ALL, Extents, slice_spec, stored_slices
from generate.table import MAGIC, crc32c

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
# Types of less than a byte: NumPy extends their sign, the file keeps the low bits only.
LOW_BITS = {"int4": 0x0F, "uint4": 0x0F, "float4_e2m1fn": 0x0F, "int2": 0x03, "uint2": 0x03}
SHARD = re.compile(r"-\d{5}(-of-\d{5})$")
# In a bundle, and in version 1.
INCOMPLETE = re.compile("sufficient slices|Error copying slice data")


def hexadecimal(data: bytes) -> str:
    return f"{crc32c(data):08x}"


def element_bytes(array: np.ndarray, dtype: tf.DType) -> bytes:
    """Row-major, little-endian, as the data file holds them."""
    data = np.ascontiguousarray(array).tobytes()
    if mask := LOW_BITS.get(dtype.name):
        data = bytes(byte & mask for byte in data)
    return data


def _content(value: np.ndarray | bytes, dtype: tf.DType) -> dict:
    if dtype == tf.string:
        elements = [value] if isinstance(value, bytes) else list(np.ravel(value))
        return {"strings": [{"size": len(e), "crc32c": hexadecimal(e)} for e in elements]}
    return {"crc32c": hexadecimal(element_bytes(value, dtype))}


class Checkpoint:
    """What TensorFlow itself says of a checkpoint of either version."""

    def __init__(self, prefix: Path):
        self.prefix = prefix
        reader = tf.train.load_checkpoint(str(prefix))
        dtypes = reader.get_variable_to_dtype_map()
        self.dtypes = {name: tf.dtypes.as_dtype(dtypes[name]) for name in sorted(dtypes)}
        self.shapes = reader.get_variable_to_shape_map()

    def read(self, name: str, spec: str = "") -> np.ndarray | bytes:
        dtype = [self.dtypes[name]]
        (value,) = tf.raw_ops.RestoreV2(
            prefix=str(self.prefix), tensor_names=[name], shape_and_slices=[spec], dtypes=dtype
        )
        return value.numpy()

    def pieces(self, name: str) -> list[tuple[Extents, np.ndarray]]:
        """One by one TensorFlow reads even what it cannot join."""
        slices = stored_slices(self.prefix)[name]
        return [(s, self.read(name, slice_spec(self.shapes[name], s))) for s in slices]

    def joined(self, names: list[str]) -> np.ndarray:
        """Of the pieces of all these names, each declared with the shape of the whole."""
        whole, filled = None, np.zeros(self.shapes[names[0]], int)
        for extents, value in (piece for name in names for piece in self.pieces(name)):
            whole = np.empty(filled.shape, value.dtype) if whole is None else whole
            at = tuple(slice(None) if e is ALL else slice(e[0], sum(e)) for e in extents)
            whole[at] = value
            filled[at] += 1
        assert np.all(filled == 1), names
        return whole

    def describe(self, name: str) -> dict:
        dtype = self.dtypes[name]
        described = {"dtype": dtype.name, "shape": self.shapes[name]}
        if dtype == tf.variant:
            return described | {"variant": True}
        try:
            return described | _content(self.read(name), dtype)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
            if INCOMPLETE.search(str(error)):
                return described | {"slices": "incomplete"}
            if "not supported" not in str(error):
                raise
        return described | _content(self.joined([name]), dtype) | {"slices": "assembled"}


def _whole(name: str, tensors: dict[str, dict]) -> str:
    """What a slot would be called, had TensorFlow not spoiled its name."""
    shape, slot = tensors[name]["shape"], name.rpartition("/")[2]
    complete = (n for n, t in tensors.items() if "crc32c" in t and t["shape"] == shape)
    owner = max((n for n in complete if name.startswith(f"{n}/")), key=len)
    return f"{owner}/{slot}"


def _join(checkpoint: Checkpoint, tensors: dict[str, dict]) -> dict[str, dict]:
    """The wholes whose parts are saved as if each were a tensor of its own."""
    groups: dict[str, list[str]] = {}
    for name in tensors:
        if tensors[name].get("slices") == "incomplete":
            groups.setdefault(_whole(name, tensors), []).append(name)
    joined = {}
    for whole, names in groups.items():
        dtype = checkpoint.dtypes[names[0]]
        described = {"dtype": dtype.name, "shape": checkpoint.shapes[names[0]]}
        content = _content(checkpoint.joined(names), dtype)
        joined[whole] = described | content | {"from": names}
    return joined


def describe(prefix: Path) -> dict:
    checkpoint = Checkpoint(prefix)
    tensors = {name: checkpoint.describe(name) for name in checkpoint.dtypes}
    described = {"format": "object-based" if OBJECT_GRAPH in tensors else "name-based"}
    if not prefix.with_name(f"{prefix.name}.index").exists():
        described["container"] = "v1"
    described["tensors"] = tensors
    if joined := _join(checkpoint, tensors):
        described["joined"] = joined
    return described


def _is_table(file: Path) -> bool:
    return file.is_file() and file.read_bytes().endswith(MAGIC)


def prefixes(directory: Path) -> list[Path]:
    """Of version 1 the file itself; of one in shards the glob that TensorFlow knows it by."""
    found = set()
    for table in filter(_is_table, directory.rglob("*")):
        if table.suffix == ".index":
            found.add(table.with_suffix(""))
        elif not table.with_name(f"{table.name}.index").exists():
            found.add(table.with_name(SHARD.sub(r"-?????\1", table.name)))
    return sorted(found)


def write_manifest(directory: Path) -> None:
    checkpoints = {str(p.relative_to(directory)): describe(p) for p in prefixes(directory)}
    if not checkpoints:
        return
    with open(directory / "manifest.json", "w", encoding="utf-8") as out:
        _write(out, {"tensorflow": tf.__version__, "checkpoints": checkpoints})


def _lines(tensors: dict[str, dict]) -> str:
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(t)}" for name, t in tensors.items())
    return f"{{\n{lines}\n}}"


def _write(out, manifest: dict) -> None:
    """JSON with one line per tensor: short, and differences can be read."""
    out.write(f'{{\n"tensorflow": {json.dumps(manifest["tensorflow"])},\n"checkpoints": {{\n')
    checkpoints = []
    for prefix, content in manifest["checkpoints"].items():
        parts = (
            f"{json.dumps(key)}: {_lines(value) if isinstance(value, dict) else json.dumps(value)}"
            for key, value in content.items()
        )
        checkpoints.append(f"{json.dumps(prefix)}: {{{', '.join(parts)}}}")
    out.write(",\n".join(checkpoints) + "\n}\n}\n")
