"""What a bundle can hold and how it can be laid out, whatever program wrote it."""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from generate.manifest import LOW_BITS, element_bytes
from generate.registry import RUNNING, case
from generate.tf1 import PREFIX, randomise, rng_for, save, tf1, write_expected

FLOATS = ("float32", "float64", "float16", "bfloat16", "complex64", "complex128")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
# TensorFlow makes these only from the bits of an ordinary integer.
QUANTIZED = {
    "qint8": "int8",
    "quint8": "uint8",
    "qint16": "int16",
    "quint16": "uint16",
    "qint32": "int32",
}
SMALL = {
    "2.15": ("float8_e5m2", "float8_e4m3fn", "int4", "uint4"),
    "2.21": (
        "float8_e5m2",
        "float8_e4m3fn",
        "float8_e4m3fnuz",
        "float8_e4m3b11fnuz",
        "float8_e5m2fnuz",
        "int4",
        "uint4",
        "int2",
        "uint2",
        "float4_e2m1fn",
    ),
}
SHAPES = {"matrix": (3, 5), "scalar": (), "empty": (0, 4)}


def save_v2(directory: Path, tensors: dict[str, tf.Tensor]) -> None:
    names = sorted(tensors)
    tf.raw_ops.SaveV2(
        prefix=str(directory / PREFIX),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[tensors[name] for name in names],
    )


def random_tensor(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> tf.Tensor:
    """Every bit pattern may occur, NaNs with a payload included."""
    if name in QUANTIZED:
        return tf.bitcast(random_tensor(rng, QUANTIZED[name], shape), getattr(tf, name))
    dtype = np.dtype(tf.dtypes.as_dtype(name).as_numpy_dtype)
    used = 0x01 if name == "bool" else LOW_BITS.get(name, 0xFF)
    data = rng.bytes(int(np.prod(shape)) * dtype.itemsize)
    bits = bytes(byte & used for byte in data)
    return tf.constant(np.frombuffer(bits, dtype).reshape(shape), tf.dtypes.as_dtype(name))


def write_hexadecimal(directory: Path, tensors: dict[str, tf.Tensor]) -> None:
    """`expected.json`: what was written, not what was read."""
    written = {
        name: [s.hex() for s in np.ravel(t.numpy())]
        if t.dtype == tf.string
        else element_bytes(t.numpy(), t.dtype).hex()
        for name, t in tensors.items()
    }
    with open(directory / "expected.json", "w", encoding="utf-8") as out:
        json.dump(written, out, indent=1)
        out.write("\n")


STRINGS = {
    "string/scalar": tf.constant(b"scalar"),
    "string/no_bytes": tf.constant(b""),
    "string/matrix": tf.constant([[b"", b"ab"], [b"\xff\xff\xff", b"\x00" + 200 * b"x"]]),
    "string/empty": tf.constant([], tf.string, (0, 3)),
}


@case("dtypes_tf215", tensorflow="2.15")
@case("dtypes_tf221", tensorflow="2.21")
def dtypes(directory: Path) -> None:
    rng = rng_for("dtypes")
    names = (*FLOATS, *INTEGERS, *QUANTIZED, "bool", *SMALL[RUNNING])
    tensors = {
        f"{name}/{kind}": random_tensor(rng, name, shape)
        for name in names
        for kind, shape in SHAPES.items()
    }
    save_v2(directory, tensors | STRINGS)
    write_hexadecimal(directory, tensors | STRINGS)


@case("many_blocks")
def many_blocks(directory: Path) -> None:
    """More than one block of index entries; names share little, or they would compress away."""
    rng = rng_for("many_blocks")
    names = [f"{rng.bytes(16).hex()}/layer_{number}/kernel" for number in range(5000)]
    save_v2(directory, {name: tf.constant(rng.random(1, np.float32)) for name in names})


@case("sharded")
def sharded(directory: Path) -> None:
    """One shard per device, as parameter servers wrote them."""
    config = tf1.ConfigProto(device_count={"CPU": 3})
    with tf.Graph().as_default(), tf1.Session(config=config) as session:
        with tf1.variable_scope("model"):
            for number in range(6):
                with tf.device(f"/cpu:{number % 3}"):
                    tf1.get_variable(f"part_{number}", [4, number + 1])
        randomise(session, rng_for("sharded"))
        save(session, directory / PREFIX, tf1.train.Saver(sharded=True))
        write_expected(directory, session)
