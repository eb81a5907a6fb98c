"""`show` prints what NumPy prints, and `show --npy` writes what NumPy reads."""

import numpy as np
import pytest
import tensorflow as tf

from flavours import VERSION
from harness import TESTDATA, run

ARCHIVE = TESTDATA / f"dtypes_tf{VERSION.replace('.', '')}" / "model.ckpt"
# Where they begin to differ, or NumPy's form changes.
NUMBERS = {
    "apart": [1, 1001, -0.5], "near": [1, 1000], "large": [1e8, -1], "small": [1e-5, 3e-5],
    "thirds": [1 / 3, 2 / 3, -1], "special": [np.nan, np.inf, -np.inf, 0.0, -0.0],
    "infinite": [np.nan, -np.inf], "zero": [0.0, -0.0], "huge": [1e300, 1e-300, 5e-324],
    "long": np.linspace(-3, 7, 61), "many": np.linspace(0, 1, 1001),
    "deep": np.linspace(0, 1, 9 * 2 * 80).reshape(9, 2, 80),
    "wide": np.arange(2000.0).reshape(2, 1000),
    "ones": np.ones([1, 1, 1, 2]), "one": 0.1, "ten": 1e16, "tiny": 1e-7, "minus": -0.0,
}


def shown(prefix, name, *flags):
    """Without its first line, which says what it is."""
    return run("show", prefix, name, *flags).split("\n", 1)[1].removesuffix("\n")


def turned(value):
    """With imaginary parts."""
    parts = value.copy()
    parts.imag = value.real[..., ::-1] if value.ndim else 2 * value.real
    return parts


def names():
    return sorted(tf.train.load_checkpoint(str(ARCHIVE)).get_variable_to_dtype_map())


@pytest.mark.parametrize("name", names())
def test_every_type(name, tmp_path):
    expected = tf.train.load_checkpoint(str(ARCHIVE)).get_tensor(name)
    expected = np.asarray(expected, object if isinstance(expected, bytes) else None)
    # Types that come from elsewhere are no business of NumPy's.
    known = expected.dtype.isbuiltin == 1
    if known:
        assert shown(ARCHIVE, name) == str(expected)
    if expected.dtype.kind == "O":
        assert "--json" in run("show", ARCHIVE, name, "--npy", tmp_path / "it.npy", status=2)
        return
    run("show", ARCHIVE, name, "--npy", tmp_path / "it.npy")
    found = np.load(tmp_path / "it.npy")
    assert found.shape == expected.shape
    assert found.tobytes() == expected.tobytes()
    if known:
        assert found.dtype == expected.dtype


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    random = np.random.default_rng(7)
    values = {}
    for kind in (np.float16, np.float32, np.float64, np.complex64, np.complex128):
        with np.errstate(over="ignore"):
            cast = {name: np.asarray(value).astype(kind) for name, value in NUMBERS.items()}
        if np.issubdtype(kind, np.complexfloating):
            cast = {name: turned(value) for name, value in cast.items()}
        for scale in range(-6, 7, 3):
            noise = random.normal(size=37) * 10.0**scale
            with np.errstate(over="ignore"):
                cast[f"noise{scale}"] = noise.astype(kind)
        values |= {f"{np.dtype(kind).name}/{name}": value for name, value in cast.items()}
    prefix = str(tmp_path_factory.mktemp("numbers") / "ckpt")
    tf.raw_ops.SaveV2(
        prefix=prefix, tensor_names=list(values), shape_and_slices=[""] * len(values),
        tensors=[tf.constant(value) for value in values.values()],
    )
    return prefix, values


def test_numbers(numbers):
    prefix, values = numbers
    wrong = {}
    for name, value in values.items():
        if (found := shown(prefix, name)) != str(value[()] if value.ndim == 0 else value):
            wrong[name] = (found, str(value))
    assert not wrong, "\n".join(f"{name}\n{a}\n{b}" for name, (a, b) in wrong.items())


@pytest.mark.parametrize("slice", ["0", "1:, 0", "..., -1", "::4, :, 3:70:13", "-2, 0, -5:", "9:"])
def test_slices(numbers, tmp_path, slice):
    prefix, values = numbers
    expected = eval(f"values['float32/deep'][{slice}]")
    name = f"float32/deep[{slice}]"
    assert shown(prefix, name, "--full") == np.array2string(expected, threshold=10**9)
    run("show", prefix, name, "--npy", tmp_path / "it.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "it.npy"), expected, strict=True)
