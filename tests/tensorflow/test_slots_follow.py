"""Slots go where their variable goes, and are reshaped, split and joined as it is."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import differences
import test_optimizers
from dialects import DIALECTS, each_dialect
from family_text import HEADS, WIDTH, gpt2_attention
from generate.keras_models import HIDDEN, INPUTS, OUTPUTS, built, in_turn
from generate.optimizers import ADAM as ADAM_HYPERPARAMETERS
from generate.optimizers import MOMENTUM as MOMENTUM_HYPERPARAMETERS
from generate.optimizers import Model, draw_floats, tf1, train, write_training
from harness import leaves
from optimizers import ADAM, MOMENTUM, Case
from training import (
    FIXTURES,
    Expected,
    Handover,
    assert_complete,
    assert_same_losses,
    assert_values,
    difference,
    expected,
)

# What TF1 had under a name: a value, or the slots of one kind.
Get = Callable[[str], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Following(Case):
    """A TF1 program that is trained here and now, and the rules by which Keras takes over."""

    program: Model
    optimizer: Callable
    hyperparameters: dict[str, float]
    # What Keras has, by its own names, made of what TF1 had.
    arranged: Callable[[Get], dict[str, np.ndarray]]
    # Added to values, and not to slots.
    added: dict[str, float] = field(default_factory=dict)
    rules: str
    # A way to get them wrong which everything still fits.
    wrong: str

    def write(self, folder: Path) -> "Following":
        """Trains; the fixture is there then."""

        def minimize(loss):
            step = train.get_or_create_global_step()
            return self.optimizer(**self.hyperparameters).minimize(loss, step)

        write_training(self.fixture, folder, self.program, minimize, self.hyperparameters)
        return replace(self, fixture=str(folder))

    @cached_property
    def truth(self) -> Expected:
        was = expected(self.fixture)

        def arranged(suffix: str = "") -> dict[str, np.ndarray]:
            made = self.arranged(lambda name: was.variables[name + suffix])
            return {name + suffix: value for name, value in made.items()}

        variables = arranged()
        for name, number in self.added.items():
            variables[name] = variables[name] + np.float32(number)
        for slot in self.kind.slots:
            variables |= arranged(f"/{slot}")
        return replace(was, variables=variables)

    @property
    def source(self) -> Path:
        return FIXTURES / self.fixture / "model.ckpt"

    def handover(self, folder: Path) -> Handover:
        rules = folder / "rules.yaml"
        rules.write_text(self.rules)
        return Handover(self.source, rules, folder, folder / "fresh", folder / "new")


BY_ADAM = {
    "kind": ADAM,
    "optimizer": train.AdamOptimizer,
    "hyperparameters": ADAM_HYPERPARAMETERS,
}
BY_MOMENTUM = {
    "kind": MOMENTUM,
    "optimizer": train.MomentumOptimizer,
    "hyperparameters": MOMENTUM_HYPERPARAMETERS,
}


def rule_file(*rules: str) -> str:
    """Each is a mapping in YAML, in one line or in many."""
    head = "version: 1\nroot: model\noptimizer: {to: optimizer}\nrules:\n"
    return head + "".join(f"  - {rule}\n" for rule in rules)


def renamed(old: str, new: str) -> str:
    """The rule for a layer that is called otherwise."""
    return f"{{from: 'model/{old}/(.+)', to: '{new}/$1'}}"


HEAD = renamed("head", "head")


def linear(x, units: int, scope: str, trainable: bool = True):
    with tf1.variable_scope(scope):
        kernel = tf1.get_variable("kernel", [x.shape[-1], units], trainable=trainable)
        return x @ kernel + tf1.get_variable("bias", [units], trainable=trainable)


def by_name(*layers: str) -> Callable[[Any], dict[str, Any]]:
    """The variables of a model's layers, under the names of `as_they_are`."""

    def weights(model) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for layer in layers:
            found |= leaves(f"model/{layer}", getattr(model, layer))
        return found

    return weights


def as_they_are(*layers: str) -> Callable[[Get], dict[str, np.ndarray]]:
    names = [f"model/{layer}/{leaf}" for layer in layers for leaf in ("kernel", "bias")]
    return lambda get: {name: get(name) for name in names}


# A head of convolutions over all that there is, as slim's VGG has it, becomes one of Dense.

SIDE, CHANNELS, UNITS = 7, 16, 32
FULLY_CONNECTED = ("fc6", "fc7", "fc8", "logits")


def fully_convolutional(x, training):
    for scope in FULLY_CONNECTED:
        outputs = OUTPUTS if scope == "logits" else UNITS
        with tf1.variable_scope(scope):
            shape = [*x.shape[1:], outputs]
            x = tf.nn.conv2d(x, tf1.get_variable("weights", shape), 1, "VALID")
            x += tf1.get_variable("biases", [outputs])
        x = x if scope == "logits" else tf.tanh(x)
    return tf.squeeze(x, [1, 2])


def fully_connected(keras):
    class Head(keras.Model):
        def __init__(self):
            super().__init__()
            self.flatten = keras.layers.Flatten()
            self.logits = keras.layers.Dense(OUTPUTS)
            for name in ("fc8", "fc7", "fc6"):
                setattr(self, name, keras.layers.Dense(UNITS, activation="tanh"))

        def call(self, x, training=False):
            layers = [self.flatten, *(getattr(self, name) for name in FULLY_CONNECTED)]
            return in_turn(layers, x)

    return built(Head(), (SIDE, SIDE, CHANNELS))


def rows_of_outputs(get: Get) -> dict[str, np.ndarray]:
    found = {}
    for layer in FULLY_CONNECTED:
        kernel = get(f"model/{layer}/weights")
        found[f"model/{layer}/kernel"] = kernel.reshape(-1, kernel.shape[-1])
        found[f"model/{layer}/bias"] = get(f"model/{layer}/biases")
    return found


def convolutions_to_dense(*steps: str) -> str:
    apply = ", ".join([*steps, "{reshape: target}"])
    kernels = f"{{from: 'model/(\\w+)/weights', to: '$1/kernel', apply: [{apply}]}}"
    return rule_file(kernels, "{from: 'model/(\\w+)/biases', to: '$1/bias'}")


def draw_faint(rng: np.random.Generator, dims: tuple[int, ...]) -> np.ndarray:
    """So many inputs would leave a unit no choice but 1 and -1."""
    return np.float32(0.05) * draw_floats(rng, dims)


FC6 = Following(
    fixture="fc6_momentum",
    program=Model(
        (SIDE, SIDE, CHANNELS), fully_convolutional, draw=draw_faint, largest_meta=200_000
    ),
    **BY_MOMENTUM,
    build=fully_connected,
    weights=by_name(*FULLY_CONNECTED),
    equal_layers=("model/fc7/", "model/fc8/"),
    arranged=rows_of_outputs,
    rules=convolutions_to_dense(),
    wrong=convolutions_to_dense("{transpose: [1, 0, 2, 3]}"),
)

# GPT-2's attention, one kernel for queries, keys and values, becomes layers with heads.

LENGTH, DEPTH = 4, WIDTH // HEADS
PROJECTIONS = ("query", "key", "value")


def fused_attention(x, training):
    return linear(tf.reduce_mean(x + gpt2_attention(x), 1), OUTPUTS, "head")


def attention_by_heads(keras):
    def projection():
        shape = (LENGTH, HEADS, DEPTH)
        return keras.layers.EinsumDense("bte,ehd->bthd", shape, bias_axes="hd")

    class Attention(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = keras.layers.Dense(OUTPUTS)
            self.value, self.query, self.key = projection(), projection(), projection()
            shape = (LENGTH, WIDTH)
            self.output_ = keras.layers.EinsumDense("bthd,hde->bte", shape, bias_axes="e")

        def call(self, x, training=False):
            scores = tf.einsum("bqhd,bkhd->bhqk", self.query(x), self.key(x)) / np.sqrt(DEPTH)
            later = 1 - np.tri(LENGTH, dtype=np.float32)
            weights = tf.nn.softmax(scores - 1e10 * later)
            found = tf.einsum("bhqk,bkhd->bqhd", weights, self.value(x))
            return self.head(tf.reduce_mean(x + self.output_(found), 1))

    return built(Attention(), (LENGTH, WIDTH))


def thirds(get: Get) -> dict[str, np.ndarray]:
    found = as_they_are("head")(get)
    kernel, bias = get("model/attn/c_attn/w")[0], get("model/attn/c_attn/b")
    for number, name in enumerate(PROJECTIONS):
        third = slice(number * WIDTH, (number + 1) * WIDTH)
        found[f"model/{name}/kernel"] = kernel[:, third].reshape(WIDTH, HEADS, DEPTH)
        found[f"model/{name}/bias"] = bias[third].reshape(HEADS, DEPTH)
    output = get("model/attn/c_proj/w").reshape(HEADS, DEPTH, WIDTH)
    return found | {
        "model/output_/kernel": output,
        "model/output_/bias": get("model/attn/c_proj/b"),
    }


def split_into(*layers: str) -> str:
    def split(name: str, leaf: str, *steps: str) -> str:
        to = ", ".join(f"{layer}/{leaf}" for layer in layers)
        apply = ", ".join([*steps, "{split: -1}", "{reshape: target}"])
        return f"{{from: 'model/attn/c_attn/{name}', to: [{to}], apply: [{apply}]}}"

    return rule_file(
        split("w", "kernel", "{squeeze: 0}"),
        split("b", "bias"),
        "{from: 'model/attn/c_proj/w', to: output_/kernel, apply: [{reshape: target}]}",
        "{from: 'model/attn/c_proj/b', to: output_/bias}",
        HEAD,
    )


C_ATTN = Following(
    fixture="c_attn_adam",
    program=Model((LENGTH, WIDTH), fused_attention, largest_meta=200_000),
    **BY_ADAM,
    build=attention_by_heads,
    weights=by_name(*PROJECTIONS, "output_", "head"),
    equal_layers=("model/query/", "model/key/"),
    arranged=thirds,
    rules=split_into("query", "key", "value"),
    wrong=split_into("key", "query", "value"),
)

# Three layers side by side become one.

STAGES, GATES = ("lower", "upper"), ("new", "gate", "old")


def gated(new, gate, old):
    return tf.tanh(new) * tf.sigmoid(gate) + old


def three_kernels(x, training, frozen: str = ""):
    for stage in STAGES:
        with tf1.variable_scope(stage):
            x = gated(*(linear(x, HIDDEN, name, name != frozen) for name in GATES))
    return linear(x, OUTPUTS, "head")


def one_kernel(keras):
    class Fused(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = keras.layers.Dense(OUTPUTS)
            self.upper = keras.layers.Dense(3 * HIDDEN)
            self.lower = keras.layers.Dense(3 * HIDDEN)

        def call(self, x, training=False):
            for stage in (self.lower, self.upper):
                x = gated(*tf.split(stage(x), 3, -1))
            return self.head(x)

    return built(Fused(), (INPUTS,))


def side_by_side(get: Get) -> dict[str, np.ndarray]:
    found = as_they_are("head")(get)
    for stage in STAGES:
        for leaf in ("kernel", "bias"):
            parts = [get(f"model/{stage}/{name}/{leaf}") for name in GATES]
            found[f"model/{stage}/{leaf}"] = np.concatenate(parts, -1)
    return found


def joined(*names: str) -> str:
    patterns = "".join(
        f"\n      - 'model/(?<stage>lower|upper)/{name}/(?<leaf>.+)'" for name in names
    )
    join = f"from:{patterns}\n    to: '$stage/$leaf'\n    apply: [{{concat: -1}}]"
    return rule_file(join, HEAD)


THREE_TO_ONE = Following(
    fixture="three_to_one_adam",
    program=Model((INPUTS,), three_kernels, largest_meta=200_000),
    **BY_ADAM,
    build=one_kernel,
    weights=by_name(*STAGES, "head"),
    equal_layers=("model/lower/", "model/upper/"),
    arranged=side_by_side,
    rules=joined("new", "gate", "old"),
    wrong=joined("gate", "new", "old"),
)

# Nothing to join with what the others remember.
FROZEN = replace(
    THREE_TO_ONE,
    fixture="frozen_adam",
    program=Model((INPUTS,), partial(three_kernels, frozen="gate")),
)

# What TF1 added in its graph is part of the bias in Keras.

HIDDEN_LAYERS = ("hidden_1", "hidden_2")


def two_hidden(x, training, added: float = 0.0):
    for scope in HIDDEN_LAYERS:
        x = tf.tanh(linear(x, HIDDEN, scope) + added)
    return linear(x, OUTPUTS, "head")


def with_auxiliary(x, training):
    """Something that is trained, and that nothing depends on."""
    return two_hidden(x, training) + 0 * linear(x, OUTPUTS, "auxiliary")


def hidden_layers(keras, copied: bool = False):
    class Hidden(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = keras.layers.Dense(OUTPUTS)
            self.hidden_2, self.hidden_1 = keras.layers.Dense(HIDDEN), keras.layers.Dense(HIDDEN)
            if copied:
                self.twin = keras.layers.Dense(HIDDEN)

        def call(self, x, training=False):
            first = self.hidden_1(x)
            if copied:
                # The same value; and to either layer the gradient that the one had.
                second = self.twin(x)
                first += second - tf.stop_gradient(second)
            return self.head(tf.tanh(self.hidden_2(tf.tanh(first))))

    return built(Hidden(), (INPUTS,))


def adding(number: float) -> str:
    add = f"{{from: 'model/(\\w+_\\d)/bias', to: '$1/bias', apply: [{{add: {number}}}]}}"
    return rule_file(add, "{from: 'model/(.+)', to: '$1'}")


ADDED = Following(
    fixture="added_adam",
    program=Model((INPUTS,), partial(two_hidden, added=1.0)),
    **BY_ADAM,
    build=hidden_layers,
    weights=by_name(*HIDDEN_LAYERS, "head"),
    equal_layers=("model/hidden_1/", "model/hidden_2/"),
    arranged=as_they_are(*HIDDEN_LAYERS, "head"),
    added={"model/hidden_1/bias": 1.0, "model/hidden_2/bias": 1.0},
    rules=adding(1.0),
    wrong=adding(-1.0),
)

# A layer that nobody wants any more takes its slots along.


def dropping(first: str, second: str) -> str:
    drop = "{drop: 'model/auxiliary/.*'}"
    return rule_file(drop, renamed("hidden_1", first), renamed("hidden_2", second), HEAD)


DROPPED = replace(
    ADDED,
    fixture="dropped_adam",
    program=Model((INPUTS,), with_auxiliary),
    added={},
    rules=dropping("hidden_1", "hidden_2"),
    wrong=dropping("hidden_2", "hidden_1"),
)

# One layer becomes two.


def copied(get: Get) -> dict[str, np.ndarray]:
    found = as_they_are(*HIDDEN_LAYERS, "head")(get)
    for leaf in ("kernel", "bias"):
        found[f"model/twin/{leaf}"] = get(f"model/hidden_1/{leaf}")
    return found


def copying(first: str, second: str) -> str:
    both = f"{{from: 'model/{first}/(.+)', to: ['twin/$1', 'hidden_1/$1']}}"
    return rule_file(both, renamed(second, "hidden_2"), HEAD)


COPIED = replace(
    ADDED,
    fixture="copied_adam",
    program=Model((INPUTS,), two_hidden),
    build=partial(hidden_layers, copied=True),
    weights=by_name(*HIDDEN_LAYERS, "twin", "head"),
    arranged=copied,
    added={},
    rules=copying("hidden_1", "hidden_2"),
    wrong=copying("hidden_2", "hidden_1"),
)

CASES = [FC6, C_ATTN, THREE_TO_ONE, ADDED, DROPPED, COPIED]
each_case = pytest.mark.parametrize("which", [str(case) for case in CASES])


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Every case by its name, trained once for all of its tests."""
    known = {str(case): case for case in (*CASES, FROZEN)}
    return cache(lambda name: known[name].write(tmp_path_factory.mktemp(name)))


@pytest.fixture
def case(which, written):
    return written(which)


@each_dialect
@each_case
def test_goes_on_as_tf1_would_have(which, case, dialect, tmp_path):
    training = case.taken_over(dialect, tmp_path)
    values = case.values(training)
    assert_values(values)
    assert_complete(training, values)
    losses = training.losses(case.truth)
    differences.note(which, dialect.name, difference(losses, case.truth))
    assert_same_losses(losses, case.truth)


@each_dialect
@each_case
def test_wrong_rules_are_noticed(case, dialect, tmp_path):
    training = replace(case, rules=case.wrong).taken_over(dialect, tmp_path)
    with pytest.raises(AssertionError, match="not the values TF1 had"):
        assert_values(case.values(training))
    with pytest.raises(AssertionError, match="losses differ"):
        assert_same_losses(training.losses(case.truth), case.truth)


@each_dialect
@each_case
def test_mistakes_are_noticed(case, dialect, tmp_path):
    """Slots of the wrong layer, of the wrong kind, not scaled, steps forgotten."""
    test_optimizers.test_wrong_mappings_are_noticed(case, dialect, tmp_path)


def handover(case: Following, folder: Path) -> Handover:
    made = case.handover(folder)
    made.write_template(case.training(DIALECTS[0]))
    return made


SENSELESS = {
    "scale: 2.0": "scaling a variable changes what its state means",
    "cast: float32": "optimizer state has a precision of its own",
}


@pytest.mark.parametrize("step", SENSELESS)
def test_steps_that_slots_cannot_follow(step, written, tmp_path):
    case = written(str(ADDED))
    case = replace(case, rules=case.rules.replace("add: 1.0", step))
    said = handover(case, tmp_path).refused()
    assert "the first moment of `model/hidden_1/bias`" in said
    assert f"cannot follow its variable: {SENSELESS[step]}" in said


def test_slots_of_some_cannot_be_joined(written, tmp_path):
    known = handover(written(str(THREE_TO_ONE)), tmp_path)
    said = replace(known, source=written(str(FROZEN)).source).refused()
    assert "cannot follow its variable: it is joined with `model/lower/gate/" in said
    assert "which has no first moment" in said


def test_slots_of_what_is_dropped(written, tmp_path):
    said = handover(written(str(DROPPED)), tmp_path).convert("--json")
    told = json.JSONDecoder().raw_decode(said)[0]
    fates = {told["name"]: told["fate"] for told in told["variables"]}
    dropped = sorted(name for name, fate in fates.items() if fate.startswith("dropped"))
    variables = [f"model/auxiliary/{leaf}" for leaf in ("bias", "kernel")]
    assert dropped == [f"{name}{slot}" for name in variables for slot in ("", "/Adam", "/Adam_1")]
