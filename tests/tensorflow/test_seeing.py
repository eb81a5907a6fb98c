"""What `list --stats` and `diff` say of values is what NumPy says of them."""

import json

import numpy as np
import pytest
import tensorflow as tf

from harness import run

REALS = [
    tf.float32, tf.float64, tf.float16, tf.bfloat16, tf.int8, tf.int16, tf.int32, tf.int64,
    tf.uint8, tf.uint16, tf.uint32, tf.uint64,
]
COMPLEX = [tf.complex64, tf.complex128]


def write(prefix, values):
    tf.raw_ops.SaveV2(
        prefix=str(prefix), tensor_names=list(values), shape_and_slices=[""] * len(values),
        tensors=list(values.values()),
    )


def numbers(dtype, seed):
    """Of a shape that is no multiple of anything; some are not finite where the type has such."""
    random = np.random.default_rng(seed)
    if dtype.is_integer:
        low, high = max(dtype.min, -(2**40)), min(dtype.max, 2**40)
        return tf.constant(random.integers(low, high, size=(7, 1013), endpoint=True), dtype)
    value = random.normal(3, 2, size=(7, 1013))
    if dtype.is_complex:
        value = value + 1j * random.normal(size=value.shape)
    else:
        value[0, 0], value[3, 5], value[6, 1012] = np.nan, np.inf, -np.inf
        value[2, 7:11] = 0
    return tf.cast(tf.constant(value), dtype)


def wide(tensor):
    if tensor.dtype.is_complex:
        return tensor.numpy().astype(np.complex128)
    return tf.cast(tensor, tf.float64).numpy()


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """The second one differs from the first here and there."""
    folder = tmp_path_factory.mktemp("seeing")
    first = {dtype.name: numbers(dtype, seed) for seed, dtype in enumerate(REALS + COMPLEX)}
    second = {}
    for seed, (name, tensor) in enumerate(first.items()):
        random = np.random.default_rng(100 + seed)
        changed = tensor.numpy().copy()
        at = random.choice(changed.size, size=50, replace=False)
        other = random.permutation(changed.reshape(-1))[:50]
        changed.reshape(-1)[at] = other
        second[name] = tf.constant(changed, tensor.dtype)
    for prefix, values in {"a": first, "b": second}.items():
        write(folder / prefix, values)
    return folder, first, second


def close(found, expected):
    return np.isclose(found, expected, rtol=1e-9, atol=1e-12)


def test_statistics(checkpoints):
    folder, first, _ = checkpoints
    listed = json.loads(run("list", folder / "a", "--stats", "--json"))["variables"]
    assert {variable["name"] for variable in listed} == set(first)
    for variable in listed:
        if variable["name"].startswith("complex"):
            assert "statistics" not in variable
            continue
        found, values = variable["statistics"], wide(first[variable["name"]])
        finite = values[np.isfinite(values)]
        for key, expected in {
            "min": finite.min(), "max": finite.max(), "mean": finite.mean(), "std": finite.std(),
        }.items():
            assert close(found[key], expected), (variable["name"], key)
        counts = [found[key] for key in ("finite", "nan", "infinite", "zero")]
        assert counts == [
            finite.size, np.isnan(values).sum(), np.isinf(values).sum(), (values == 0).sum()
        ]


def differing(a, b, rtol=None, atol=None):
    """Which elements differ, by their bits or by NumPy's `isclose`."""
    if rtol is None:
        bits = np.dtype(f"V{a.dtype.itemsize}")
        return a.view(bits) != b.view(bits)
    return ~np.isclose(
        wide(tf.constant(a)), wide(tf.constant(b)), rtol=rtol, atol=atol, equal_nan=True
    )


@pytest.mark.parametrize("tolerance", [None, (0.0, 0.5), (0.25, 1e-3)])
def test_differences(checkpoints, tolerance):
    folder, first, second = checkpoints
    flags = [] if tolerance is None else ["--rtol", tolerance[0], "--atol", tolerance[1]]
    report = json.loads(run("diff", folder / "a", folder / "b", "--json", *flags, status=1))
    found = {difference["name"]: difference for difference in report["differences"]}
    seen = 0
    for name in first:
        a, b = first[name].numpy(), second[name].numpy()
        differs = differing(a, b, *(tolerance or ()))
        if not differs.any():
            assert name not in found
            continue
        one = found[name]
        assert one["different"] == differs.sum(), name
        assert one["first"] == list(np.argwhere(differs)[0])
        left, right = wide(first[name]), wide(second[name])
        nan = np.isnan(left) | np.isnan(right)
        assert one["nan"] == (differs & nan).sum()
        with np.errstate(invalid="ignore", divide="ignore"):
            apart = np.where(differs & ~nan, np.abs(left - right), -1)
            is_far = (apart >= 0) & (right != 0)
            relative = np.where(is_far, apart / np.where(is_far, np.abs(right), 1), -1)
        for key, gaps in {"absolute": apart, "relative": relative}.items():
            size = one[key]["size"]
            if size is None:
                # JSON has no infinity.
                assert np.isinf(apart.max()), (name, key)
                continue
            at = tuple(one[key]["at"])
            assert close(size, gaps.max()) and close(gaps[at], size), (name, key)
        seen += 1
    assert seen >= 12


def test_equal_within_a_tolerance(checkpoints):
    folder, _, _ = checkpoints
    assert "all equal" in run("diff", folder / "a", folder / "a", "--rtol", 0, "--atol", 0)
