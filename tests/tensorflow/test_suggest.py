"""Suggested rules, held against the known ones: how much is proposed, and how much is right.

A suggestion is right where it takes the sources that are known, whatever they are called: those of
equal bytes are the same.
"""

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby, product
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
import tensorflow as tf

import suggested
from families import Values, noise, random_input, save, tf1
from flavours import FLAVOURS, tf1_layers
from harness import run
from object_graph import KEY as OBJECT_GRAPH
from object_graph import object_graph
from pairs import FAMILY_CASES, MIGRATED, PAIRS, Pair
from programs import chain
from suggested import PLAIN, Row
from takeovers import LEAF, document
from test_odd_sources import write

NO_GRAPH, SCRAMBLED = "without a graph", "scrambled names"
# What a suggestion may be short of.
MOST_WRONG_OF_LIKELY = 0.02
LEAST_PROPOSED = 0.9
LEAST_COMPLETE = 2 / 3

Digests = frozenset[bytes]

each_case = pytest.mark.parametrize("case", PAIRS, ids=str)
each_keras = pytest.mark.parametrize("keras", FLAVOURS.values(), ids=FLAVOURS)


@pytest.fixture(scope="session")
def pair_of(tmp_path_factory, takeover_of):
    return cache(lambda case: case.pair(tmp_path_factory.mktemp("pair"), takeover_of))


@pytest.fixture(scope="session")
def known_of(tmp_path_factory):
    return cache(lambda pair: Known.of(pair, tmp_path_factory.mktemp("known")))


def digest(value: np.ndarray) -> bytes:
    of = hashlib.sha256(f"{value.dtype} {value.shape} ".encode())
    of.update(value.tobytes())
    return of.digest()


def values_of(prefix: Path) -> Values:
    """All that TensorFlow can read: a scope spoils the names of slots in parts."""
    reader = tf.train.load_checkpoint(str(prefix))
    found = {}
    for name in sorted(reader.get_variable_to_shape_map().keys() - {OBJECT_GRAPH}):
        with suppress(ValueError):
            found[name] = reader.get_tensor(name)
    return found


@cache
def digests(prefix: Path) -> dict[str, bytes]:
    return {name: digest(value) for name, value in values_of(prefix).items()}


AVERAGE = "/ExponentialMovingAverage"


def contents(prefix: Path, names: list[str]) -> Digests:
    """Of a variable and its average, rules take one or the other: what it is paired with is the
    same."""
    of = digests(prefix)
    plain = (name.removesuffix(AVERAGE) for name in names)
    return frozenset(of[one if one in of else name] for one, name in zip(plain, names, strict=True))


def of_model(prefix: Path) -> set[str]:
    """The keys of all variables but an optimizer's. Keras 3 may store those of a model under the
    list that its optimizer has of them: objects tell whose they are, keys do not."""
    nodes = object_graph(prefix).nodes
    others = ("optimizer", "save_counter")
    ahead = [child.node_id for child in nodes[0].children if child.local_name not in others]
    seen = set(ahead)
    while ahead:
        further = {child.node_id for child in nodes[ahead.pop()].children} - seen
        seen |= further
        ahead += further
    keys = {value.checkpoint_key for node in seen for value in nodes[node].attributes}
    return {key for key in keys if key.endswith(LEAF)}


# What training has not led to: a program may start with other ones.
CHOSEN = ("save_counter", "learning_rate", "decay", "beta_1", "beta_2", "momentum", "rho")


def is_chosen(key: str) -> bool:
    return key.removesuffix(LEAF).removeprefix("optimizer/").lstrip("_") in CHOSEN


@dataclass(frozen=True)
class Known:
    """What must become of every leaf of a model."""

    # By key of the template: what it is made of. A constant, or the template's value: of nothing.
    sources: dict[str, Digests]
    # By key: what it is in the end, and so is the state of optimizers.
    values: dict[str, bytes]

    @property
    def state(self) -> list[str]:
        """What training has led to, beside the model."""
        leaves = (key for key in self.values if key.endswith(LEAF))
        return [key for key in leaves if key not in self.sources and not is_chosen(key)]

    @classmethod
    def of(cls, pair: Pair, folder: Path) -> "Known":
        new = folder / "known"
        files = ("--map", pair.rules, "--like", pair.like, "-o", new, "--json")
        planned = document(run("convert", pair.old, *files, *pair.flags))["values"]
        model = of_model(pair.like)
        sources = {
            value["key"]: contents(pair.old, value["sources"])
            for value in planned
            if value["key"] in model
        }
        return cls(sources, digests(new))


@dataclass(frozen=True)
class Suggestion:
    old: Path
    like: Path
    # The rule file.
    file: Path
    said: dict[str, Any]

    @classmethod
    def of(cls, old: Path, like: Path, folder: Path, *flags: str) -> "Suggestion":
        file = folder / "suggested.yaml"
        said = document(run("suggest", old, "--like", like, "-o", file, "--json", *flags))
        assert said["rules"] == file.read_text()
        return cls(old, like, file, said)

    @property
    def complete(self) -> bool:
        return self.said["complete"]

    def leaves(self) -> dict[str, tuple[str, Digests]]:
        """By key: how sure it is, and of what it makes them."""
        found = {
            pairing["target"]: (pairing["confidence"], contents(self.old, pairing["sources"]))
            for pairing in self.said["pairings"]
        }
        for fill in self.said["fills"]:
            found[fill["target"]] = (fill["confidence"], frozenset())
        return found

    def judged(self, case: str, known: Known) -> Row:
        leaves = self.leaves()
        assert leaves.keys() == known.sources.keys(), "every leaf of the model is spoken of"
        counts = Counter(confidence for confidence, _ in leaves.values())
        assert counts.keys() <= {"certain", "likely", "open"}
        assert self.complete == (counts["open"] == 0 and not self.said["questions"])
        wrong = Counter(
            confidence
            for key, (confidence, sources) in leaves.items()
            if confidence != "open" and sources != known.sources[key]
        )
        return Row(
            case=case,
            leaves=len(leaves),
            certain=counts["certain"],
            likely=counts["likely"],
            open=counts["open"],
            wrong_certain=wrong["certain"],
            wrong_likely=wrong["likely"],
            complete=int(self.complete),
        )

    def convert(self, new: Path, *flags: str) -> Path:
        """With the rule file as it is."""
        run("convert", self.old, "--map", self.file, "--like", self.like, "-o", new, *flags)
        return new


def differing(new: Path, known: Known, keys: Iterable[str]) -> list[str]:
    found = digests(new)
    return [key for key in keys if found.get(key) != known.values[key]]


# Where a forget bias is not the one that cells have by default, which is no variable: it has to be
# told, and nothing else has.
TOLD_BIAS = re.compile("cell-BasicLSTMCell-with-another-forget-bias|rnn-keras-.+-RNN-of-LSTMCells")


def due(pair: Pair, known: Known) -> list[str]:
    """Leaves of the model whose values can be known."""
    told = TOLD_BIAS.match(pair.name)
    return [key for key in known.sources if not (told and key.endswith(f"bias{LEAF}"))]


def own_flags(pair: Pair) -> tuple[str, ...]:
    """Of those that its own rules need: what no rule file can say."""
    return tuple(flag for flag in pair.flags if flag == "--keep-missing")


@each_case
def test_pair(case, pair_of, known_of, tmp_path):
    pair = pair_of(case)
    known = known_of(pair)
    suggestion = Suggestion.of(pair.old, pair.like, tmp_path, "--no-builtin")
    row = suggestion.judged(pair.name, known)
    suggested.note(PLAIN, row)
    assert not row.wrong_certain
    if not suggestion.complete or row.wrong:
        return
    new = suggestion.convert(tmp_path / "new", *own_flags(pair))
    assert not differing(new, known, [*due(pair, known), *known.state])
    if not TOLD_BIAS.match(pair.name):
        pair.check(new)


def judge_variant(variant: str, pair: Pair, old: Path, known: Known, folder: Path) -> None:
    """A pair whose source says less than it did."""
    suggestion = Suggestion.of(old, pair.like, folder, "--no-builtin")
    row = suggestion.judged(pair.name, known)
    suggested.note(variant, row)
    assert not row.wrong_certain
    # Without a graph, the state of some optimizers needs to be told their learning rates.
    if suggestion.complete and not row.wrong and not known.state:
        assert not differing(suggestion.convert(folder / "new"), known, due(pair, known))


@pytest.mark.parametrize("case", [case for case in PAIRS if case.graph], ids=str)
def test_without_a_graph(case, pair_of, known_of, tmp_path):
    pair = pair_of(case)
    assert pair.graph.exists()
    for file in pair.old.parent.glob(f"{pair.old.name}.*"):
        if file != pair.graph:
            shutil.copy(file, tmp_path)
    old = tmp_path / pair.old.name
    judge_variant(NO_GRAPH, pair, old, known_of(pair), tmp_path)


def words() -> list[str]:
    """Without a meaning."""
    consonants, vowels = "bdfgklmnprstvz", "aeiou"
    return ["".join(letters) for letters in product(consonants, vowels, consonants, vowels)]


def scrambled(names: list[str]) -> dict[str, str]:
    """The names with other words for all scopes, the same for the same, in no order that says
    anything. Words that some name ends with are what a variable is, or its slot."""
    ends = {name.rpartition("/")[2] for name in names}
    scopes = {part for name in names for part in name.split("/")} - ends
    in_no_order = sorted(scopes, key=lambda scope: (crc32(scope.encode()), scope))
    renamed = dict(zip(in_no_order, words(), strict=False))
    assert len(renamed) == len(scopes)
    return {n: "/".join(renamed.get(part, part) for part in n.split("/")) for n in names}


# Objects have labels, not names.
@pytest.mark.parametrize("case", [case for case in PAIRS if case.named], ids=str)
def test_scrambled_names(case, pair_of, known_of, tmp_path):
    pair = pair_of(case)
    values = values_of(pair.old)
    names, old = scrambled(list(values)), tmp_path / "old"
    write(old, {names[name]: value for name, value in values.items()})
    judge_variant(SCRAMBLED, pair, old, known_of(pair), tmp_path)


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_a_mapping_that_fits_is_proposed(case, pair_of, known_of, tmp_path):
    pair = pair_of(case)
    suggestion = Suggestion.of(pair.old, pair.like, tmp_path)
    proposed = suggestion.said["builtin"]
    # One that has to be told something may be passed over.
    assert proposed or pair.flags
    if proposed:
        known = known_of(pair)
        assert not differing(suggestion.convert(tmp_path / "new"), known, known.sources)


def test_a_wrong_suggestion_is_noticed(pair_of, known_of, tmp_path):
    """What has been shown is worth something only if a mistake would have been seen."""
    pair = pair_of(next(case for case in MIGRATED if case.name.startswith("conv3")))
    right = Suggestion.of(pair.old, pair.like, tmp_path, "--no-builtin")
    pairings = [dict(pairing) for pairing in right.said["pairings"]]
    first, second, *_ = (one for one in pairings if "kernel" in one["target"])
    first["sources"], second["sources"] = second["sources"], first["sources"]
    wrong = replace(right, said=right.said | {"pairings": pairings})
    known = known_of(pair)
    assert not right.judged("right", known).wrong
    assert wrong.judged("wrong", known).wrong == 2


# What is hard on purpose.

WIDTH = 4
X = random_input("hard to tell apart", 2, WIDTH)
IMAGES = random_input("images hard to tell apart", 2, 5, 5, WIDTH)


def dense(name: str | None = None) -> Callable[[Any], Any]:
    return lambda x: tf1_layers.dense(x, WIDTH, activation=tf.tanh, name=name)


def conv(name: str | None = None) -> Callable[[Any], Any]:
    options = {"padding": "same", "activation": tf.tanh, "name": name}
    return lambda x: tf1_layers.conv2d(x, WIDTH, 3, **options)


def in_turn(x: Any, *layers: Callable[[Any], Any]) -> Any:
    for layer in layers:
        x = layer(x)
    return x


@dataclass(frozen=True)
class Hard:
    """A network of TF1 and a model of Keras in which many leaves have the same shape."""

    network: Callable[[], Any]
    # The model, and its layers by what their scopes were called.
    build: Callable[[Any], tuple[Any, dict[str, Any]]]
    inputs: np.ndarray
    graph: bool = True
    # Whether a guess may be wrong as long as it is told as one.
    guesses: bool = False
    # Whether all of it can be told.
    complete: bool = False


def native_dense(keras: Any) -> Any:
    return keras.layers.Dense(WIDTH, activation="tanh")


def native_conv(keras: Any) -> Any:
    return keras.layers.Conv2D(WIDTH, 3, padding="same", activation="tanh")


def created_backwards(keras: Any, layer: Callable[[Any], Any], scopes: list[str]) -> dict[str, Any]:
    """Layers by their scopes; the one that is called last is the first to be made."""
    return {scope: layer(keras) for scope in reversed(scopes)}


def called_in_turn(keras: Any, calls: list[str], **layers: Any) -> Any:
    """A model with these attributes in this order, and called in another one."""

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            for name, layer in layers.items():
                setattr(self, name, layer)

        def call(self, x):
            return in_turn(x, *(getattr(self, name) for name in calls))

    return Model()


DENSE_SCOPES = ["dense", "dense_1", "dense_2"]
CONV_SCOPES = ["conv2d", "conv2d_1", "conv2d_2"]
# Words that say nothing of an order, in the order in which they are called.
ATTRIBUTES = ["gate", "trunk", "alder"]


def subclassed_backwards(
    keras: Any, layer: Callable[[Any], Any], scopes: list[str]
) -> tuple[Any, dict[str, Any]]:
    layers = created_backwards(keras, layer, scopes)
    attributes = dict(zip(scopes, ATTRIBUTES, strict=True))
    made = {attributes[scope]: one for scope, one in layers.items()}
    return called_in_turn(keras, ATTRIBUTES, **made), layers


def functional_backwards(keras: Any) -> tuple[Any, dict[str, Any]]:
    layers = created_backwards(keras, native_dense, DENSE_SCOPES)
    entry = keras.Input((WIDTH,))
    exit = in_turn(entry, *(layers[scope] for scope in DENSE_SCOPES))
    return keras.Model(entry, exit), layers


def towers(*names: str) -> Callable[[], Any]:
    def network() -> Any:
        outputs = []
        for name in names:
            with tf1.variable_scope(name):
                outputs.append(in_turn(tf.constant(X), dense(), dense()))
        return tf.concat(outputs, axis=-1)

    return network


def native_towers(**scopes: str) -> Callable[[Any], tuple[Any, dict[str, Any]]]:
    """By attribute, the scope of the tower it was."""

    def build(keras: Any) -> tuple[Any, dict[str, Any]]:
        class Towers(keras.Model):
            def __init__(self):
                super().__init__()
                for name in scopes:
                    pair = {"lower": native_dense(keras), "upper": native_dense(keras)}
                    setattr(self, name, chain(keras, **pair))

            def call(self, x):
                # In the order of TF1, whatever the order of the attributes.
                in_order = sorted(scopes, key=scopes.get)
                return tf.concat([getattr(self, name)(x) for name in in_order], axis=-1)

        made, layers = Towers(), {}
        for name, scope in scopes.items():
            tower = getattr(made, name)
            layers |= {f"{scope}/dense": tower.lower, f"{scope}/dense_1": tower.upper}
        return made, layers

    return build


def convolutions() -> Any:
    return in_turn(tf.constant(IMAGES), *(conv() for _ in CONV_SCOPES))


# In the order in which they are called, which is not that of their letters.
NAMED_SCOPES = ["stem", "body", "exit"]


def named_convolutions() -> Any:
    return in_turn(tf.constant(IMAGES), *map(conv, NAMED_SCOPES))


def numbered_convolutions(keras: Any) -> tuple[Any, dict[str, Any]]:
    layers = {scope: native_conv(keras) for scope in CONV_SCOPES}
    return chain(keras, **{f"conv_{i}": one for i, one in enumerate(layers.values(), 1)}), layers


# Layers of a convolution and a norm, by where they go; two of them have the same shapes.
UNITS = {"stem": ("", 6), "body_a": ("block1/", 6), "body_b": ("block1/", 6), "deep": ("block2/", 8)}


def units() -> Any:
    x = tf.constant(IMAGES)
    for scope, of_scope in groupby(UNITS.values(), lambda unit: unit[0]):
        with tf1.variable_scope(scope.rstrip("/")) if scope else nullcontext():
            for _, width in of_scope:
                x = tf1_layers.conv2d(x, width, 3, padding="same")
                x = tf.tanh(tf1_layers.batch_normalization(x))
    return x


def native_units(keras: Any) -> tuple[Any, dict[str, Any]]:
    made = {
        name: chain(
            keras,
            convolution=keras.layers.Conv2D(width, 3, padding="same"),
            norm=keras.layers.BatchNormalization(),
            activation=keras.layers.Activation("tanh"),
        )
        for name, (_, width) in UNITS.items()
    }
    layers, seen = {}, Counter()
    for name, (scope, _) in UNITS.items():
        number = f"_{seen[scope]}" if seen[scope] else ""
        seen[scope] += 1
        layers[f"{scope}conv2d{number}"] = made[name].convolution
        layers[f"{scope}batch_normalization{number}"] = made[name].norm
    return chain(keras, **made), layers


def flat_units(keras: Any) -> tuple[Any, dict[str, Any]]:
    """The same layers in one object."""
    _, layers = native_units(keras)
    attributes: dict[str, Any] = {}
    for i, layer in enumerate(layers.values()):
        attributes[f"{'bn' if i % 2 else 'conv'}{i // 2 + 1}"] = layer
        if i % 2:
            attributes[f"tanh{i // 2 + 1}"] = keras.layers.Activation("tanh")
    return chain(keras, **attributes), layers


def three_dense() -> Any:
    return in_turn(tf.constant(X), *(dense() for _ in DENSE_SCOPES))


HARD = {
    "functional, created backwards": Hard(three_dense, functional_backwards, X, guesses=True),
    "subclassed, created backwards": Hard(
        three_dense,
        lambda keras: subclassed_backwards(keras, native_dense, DENSE_SCOPES),
        X,
        guesses=True,
    ),
    "towers of the same names": Hard(
        towers("left", "right"), native_towers(left="left", right="right"), X
    ),
    "towers of the same names in another order": Hard(
        towers("left", "right"), native_towers(right="right", left="left"), X
    ),
    "towers of other names": Hard(
        towers("left", "right"), native_towers(query="right", document="left"), X
    ),
    "numbered convolutions": Hard(convolutions, numbered_convolutions, IMAGES, graph=False),
    "convolutions created backwards": Hard(
        convolutions,
        lambda keras: subclassed_backwards(keras, native_conv, CONV_SCOPES),
        IMAGES,
        graph=False,
    ),
    "convolutions of other names": Hard(
        named_convolutions,
        lambda keras: subclassed_backwards(keras, native_conv, NAMED_SCOPES),
        IMAGES,
        graph=False,
    ),
    "units of a convolution and a norm": Hard(units, native_units, IMAGES, complete=True),
    "convolutions and norms in one object": Hard(units, flat_units, IMAGES, complete=True),
    "units whose order is not known": Hard(units, native_units, IMAGES, graph=False),
}

LEAVES = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")


def variables_of(layers: dict[str, Any], values: Values) -> list[tuple[Any, Any]]:
    """Every variable and the value it must have."""
    return [
        (getattr(layer, leaf), values[f"{scope}/{leaf}"])
        for scope, layer in layers.items()
        for leaf in LEAVES
        if hasattr(layer, leaf)
    ]


@each_keras
@pytest.mark.parametrize("what", HARD)
def test_what_is_hard_is_not_certain_and_wrong(what, keras, tmp_path):
    hard = HARD[what]
    source = save(hard.network, tmp_path, what)
    if not hard.graph:
        Path(f"{source.prefix}.meta").unlink()
    keras.backend.clear_session()
    model, layers = hard.build(keras)
    model(hard.inputs)
    variables = variables_of(layers, source.values)
    program = tf.train.Checkpoint(model=model)
    noise([variable for variable, _ in variables], "template")
    program.write(str(tmp_path / "fresh"))
    for variable, value in variables:
        variable.assign(value)
    np.testing.assert_allclose(model(hard.inputs), source.outputs, rtol=1e-5, atol=1e-6)
    program.write(str(tmp_path / "right"))
    right = digests(tmp_path / "right")
    known = Known({key: frozenset([right[key]]) for key in of_model(tmp_path / "fresh")}, right)

    suggestion = Suggestion.of(Path(source.prefix), tmp_path / "fresh", tmp_path, "--no-builtin")
    row = suggestion.judged(what, known)
    suggested.note("hard on purpose", row)
    assert not row.wrong_certain
    assert hard.guesses or not row.wrong
    assert suggestion.complete or not hard.complete


# Last, when every pair has been judged.


def test_how_much_is_right():
    sums = suggested.total(PLAIN)
    assert sums["certain"] + sums["likely"] >= LEAST_PROPOSED * sums["leaves"]
    assert sums["complete"] >= LEAST_COMPLETE * len(suggested.ROWS[PLAIN])
    for variant in (PLAIN, NO_GRAPH, SCRAMBLED):
        sums = suggested.total(variant)
        assert sums["wrong_certain"] == 0
        assert sums["wrong_likely"] <= MOST_WRONG_OF_LIKELY * sums["likely"]
