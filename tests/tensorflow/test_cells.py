"""TF1's recurrent cells in Keras: what is restored computes what TF1 computed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from cells import (
    SEQUENCES,
    UNITS,
    CudnnCompatibleGRUCell,
    both_ways,
    both_ways_twice,
    cudnn,
    cudnn_lstm_cell,
    forward,
    saved_as,
    stack,
)
from families import (
    Source,
    Values,
    checkpoint_values,
    noise,
    relative_difference,
    rules_of,
    save,
    tf1,
)
from flavours import FLAVOURS, tf1_cells
from generate.cells import (
    from_basic_rnn,
    from_cudnn_gru,
    from_cudnn_lstm,
    from_gru,
    from_lstm,
)
from harness import run
from training import same

LARGEST_DIFFERENCE = 1e-6
# A mistake is further away from TF1 by far.
SMALLEST_MISTAKE = 1e-3
LEAVES = ("kernel", "recurrent_kernel", "bias")

each_keras = pytest.mark.parametrize("keras", FLAVOURS.values(), ids=FLAVOURS)


def basic_lstm(**options: Any) -> Any:
    return tf1_cells.BasicLSTMCell(UNITS, **options)


def lstm_cell(**options: Any) -> Any:
    return tf1_cells.LSTMCell(UNITS, **options)


def gru_cell() -> Any:
    return tf1_cells.GRUCell(UNITS)


def basic_rnn() -> Any:
    return tf1_cells.BasicRNNCell(UNITS)


def cudnn_gru_cell() -> Any:
    return CudnnCompatibleGRUCell(UNITS)


def layer(kind: str, **options: Any) -> Callable[[Any], list]:
    """One layer of Keras's, whichever Keras it is."""
    return lambda keras: [getattr(keras.layers, kind)(UNITS, return_sequences=True, **options)]


def layers(count: int, kind: str, **options: Any) -> Callable[[Any], list]:
    return lambda keras: [one for _ in range(count) for one in layer(kind, **options)(keras)]


def both(count: int, kind: str, **options: Any) -> Callable[[Any], list]:
    """So many, each of both directions."""

    def make(keras: Any) -> list:
        inner = layers(count, kind, **options)(keras)
        return [keras.layers.Bidirectional(one) for one in inner]

    return make


def layer_of_cells(*kinds: str, **options: Any) -> Callable[[Any], list]:
    def make(keras: Any) -> list:
        # In a list, Keras 3 would not save them.
        cells = tuple(getattr(keras.layers, kind)(UNITS) for kind in kinds)
        return [keras.layers.RNN(cells, return_sequences=True)]

    return make


# What becomes of a scope, by the name of the cell.
CONVERSIONS = {
    "basic_lstm_cell": from_lstm,
    "lstm_cell": from_lstm,
    "gru_cell": from_gru,
    "basic_rnn_cell": from_basic_rnn,
    "cudnn_compatible_lstm_cell": from_cudnn_lstm,
    "cudnn_compatible_gru_cell": from_cudnn_gru,
}
BOTH_WAYS = {"fw": "forward_layer", "bw": "backward_layer"}
BEFORE_RESET = {"reset_after": False}


@dataclass(frozen=True)
class Case:
    """A network of TF1, the layers of Keras that are to be the same, and the rules."""

    name: str
    network: Callable[[Any], Any]
    layers: Callable[[Any], list]
    rules: str
    # Scopes of TF1, and where their cells are in Keras.
    cells: dict[str, str]
    forget_bias: float | None = None
    # How an older TensorFlow called the variables: in names, what was where there is now what.
    older: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.name

    def source(self, folder: Path) -> Source:
        source = save(lambda: self.network(tf.constant(SEQUENCES)), folder, self.name)
        assert {name.rpartition("/")[2] for name in source.values} == {"kernel", "bias"}

        def older(name: str) -> str:
            return reduce(lambda name, pair: name.replace(*pair), self.older, name)

        return saved_as(source, older, folder) if self.older else source

    def values(self, model: Any, source: Values) -> list[tuple[Any, np.ndarray]]:
        """Every variable of the model, and what it should hold."""
        pairs = []
        for scope, path in self.cells.items():
            convert = CONVERSIONS[scope.rpartition("/")[2]]
            if self.forget_bias is not None:
                convert = partial(convert, forget_bias=self.forget_bias)
            cell = reduce(child, path.split("/"), model)
            variables = [getattr(cell, leaf) for leaf in LEAVES]
            pairs += zip(variables, convert(source, scope), strict=True)
        return pairs


def child(node: Any, label: str) -> Any:
    return node[int(label)] if label.isdigit() else getattr(node, label)


def rule(cell: str, scope: str, to: str, more: str = "") -> str:
    return f"  - {{cell: {cell}, from: '{scope}', to: {to}{more}}}\n"


def two_layers(kind: str, scope: str = "rnn/multi_rnn_cell") -> dict[str, str]:
    return {f"{scope}/cell_{i}/{kind}": f"parts/{i}/cell" for i in range(2)}


def two_cells(first: str, second: str) -> dict[str, str]:
    kinds = enumerate([first, second])
    return {f"rnn/multi_rnn_cell/cell_{i}/{kind}": f"parts/0/cell/cells/{i}" for i, kind in kinds}


def one_of_both(kind: str, scope: str = "bidirectional_rnn", part: int = 0) -> dict[str, str]:
    ways = BOTH_WAYS.items()
    return {f"{scope}/{way}/{kind}": f"parts/{part}/{layer}/cell" for way, layer in ways}


def two_of_both(kind: str, scope: str = "") -> dict[str, str]:
    stacked = f"{scope}stack_bidirectional_rnn/cell_{{}}/bidirectional_rnn"
    return one_of_both(kind, stacked.format(0)) | one_of_both(kind, stacked.format(1), part=1)


def rule_per_way(cell: str, scope: str, kind: str, part: str = "0") -> str:
    ways = BOTH_WAYS.items()
    return "".join(
        rule(cell, f"{scope}/{way}/{kind}", f"'parts/{part}/{layer}/cell'") for way, layer in ways
    )


IN_LAYERS = "'parts/$i/cell'"
IN_CELLS = "'parts/0/cell/cells/$i'"
NTH_CELL = r"rnn/multi_rnn_cell/cell_(?<i>\d+)"
NTH_OF_BOTH = r"stack_bidirectional_rnn/cell_(?<i>\d+)/bidirectional_rnn"
# TensorFlow 1.0 and 1.1; 0.12 and before.
WEIGHTS = (("/kernel", "/weights"), ("/bias", "/biases"))
LINEAR = (
    *(("/kernel", "/Linear/Matrix"), ("/bias", "/Linear/Bias")),
    *(("/gates/", "/Gates/"), ("/candidate/", "/Candidate/")),
    *(("rnn/", "RNN/"), ("multi_rnn_cell/cell_", "MultiRNNCell/Cell")),
    *(("basic_lstm_cell", "BasicLSTMCell"), ("gru_cell", "GRUCell")),
    *(("basic_rnn_cell", "BasicRNNCell"),),
)

BASIC_LSTM = Case(
    "BasicLSTMCell",
    lambda x: forward(basic_lstm(), x),
    layer("LSTM"),
    rule("basic_lstm_cell", "rnn/basic_lstm_cell", "parts/0/cell"),
    {"rnn/basic_lstm_cell": "parts/0/cell"},
)
GRU = Case(
    "GRUCell",
    lambda x: forward(gru_cell(), x),
    layer("GRU", **BEFORE_RESET),
    rule("gru_cell", "rnn/gru_cell", "parts/0/cell"),
    {"rnn/gru_cell": "parts/0/cell"},
)
TWO_LSTM = Case(
    "two layers of BasicLSTMCell",
    lambda x: forward(stack(basic_lstm(), basic_lstm()), x),
    layers(2, "LSTM"),
    rule("basic_lstm_cell", f"{NTH_CELL}/basic_lstm_cell", IN_LAYERS),
    two_layers("basic_lstm_cell"),
)
BOTH_GRU = Case(
    "GRUCell of both directions",
    lambda x: both_ways(gru_cell, x),
    both(1, "GRU", **BEFORE_RESET),
    rule_per_way("gru_cell", "bidirectional_rnn", "gru_cell"),
    one_of_both("gru_cell"),
)
CUDNN_GRU = Case(
    "two layers of CudnnGRU",
    cudnn("cudnn_gru", lambda x: forward(stack(cudnn_gru_cell(), cudnn_gru_cell()), x)),
    layers(2, "GRU"),
    rule("cudnn_gru", f"cudnn_gru/{NTH_CELL}/cudnn_compatible_gru_cell", IN_LAYERS),
    two_layers("cudnn_compatible_gru_cell", "cudnn_gru/rnn/multi_rnn_cell"),
)
CASES = [
    BASIC_LSTM,
    Case(
        "BasicLSTMCell with another forget bias",
        lambda x: forward(basic_lstm(forget_bias=0.4), x),
        layer("LSTM"),
        rule("basic_lstm_cell", "rnn/basic_lstm_cell", "parts/0/cell", ", forget_bias: 0.4"),
        {"rnn/basic_lstm_cell": "parts/0/cell"},
        forget_bias=0.4,
    ),
    Case(
        "LSTMCell",
        lambda x: forward(lstm_cell(), x),
        layer("LSTM"),
        rule("lstm_cell", "rnn/lstm_cell", "parts/0/cell"),
        {"rnn/lstm_cell": "parts/0/cell"},
    ),
    GRU,
    Case(
        "BasicRNNCell",
        lambda x: forward(basic_rnn(), x),
        layer("SimpleRNN"),
        rule("basic_rnn_cell", "rnn/basic_rnn_cell", "parts/0/cell"),
        {"rnn/basic_rnn_cell": "parts/0/cell"},
    ),
    TWO_LSTM,
    Case(
        "two LSTMCells in one layer",
        lambda x: forward(stack(lstm_cell(), lstm_cell()), x),
        layer_of_cells("LSTMCell", "LSTMCell"),
        rule("lstm_cell", f"{NTH_CELL}/lstm_cell", IN_CELLS),
        two_cells("lstm_cell", "lstm_cell"),
    ),
    Case(
        "BasicLSTMCell and BasicRNNCell in one layer",
        lambda x: forward(stack(basic_lstm(), basic_rnn()), x),
        layer_of_cells("LSTMCell", "SimpleRNNCell"),
        rule("basic_lstm_cell", f"{NTH_CELL}/basic_lstm_cell", IN_CELLS)
        + rule("basic_rnn_cell", f"{NTH_CELL}/basic_rnn_cell", IN_CELLS),
        two_cells("basic_lstm_cell", "basic_rnn_cell"),
    ),
    Case(
        "BasicLSTMCell of both directions",
        lambda x: both_ways(basic_lstm, x),
        both(1, "LSTM"),
        rule_per_way("basic_lstm_cell", "bidirectional_rnn", "basic_lstm_cell"),
        one_of_both("basic_lstm_cell"),
    ),
    BOTH_GRU,
    Case(
        "two layers of LSTMCell of both directions",
        lambda x: both_ways_twice(lstm_cell, x),
        both(2, "LSTM"),
        rule_per_way("lstm_cell", NTH_OF_BOTH, "lstm_cell", part="$i"),
        two_of_both("lstm_cell"),
    ),
    Case(
        "two layers of BasicLSTMCell by the names of 1.0",
        TWO_LSTM.network,
        TWO_LSTM.layers,
        TWO_LSTM.rules,
        TWO_LSTM.cells,
        older=WEIGHTS,
    ),
    Case(
        "two layers of BasicLSTMCell by the names of 0.12",
        TWO_LSTM.network,
        TWO_LSTM.layers,
        rule("basic_lstm_cell", r"RNN/MultiRNNCell/Cell(?<i>\d+)/BasicLSTMCell", IN_LAYERS),
        TWO_LSTM.cells,
        older=LINEAR,
    ),
    Case(
        "GRUCell by the names of 1.0", GRU.network, GRU.layers, GRU.rules, GRU.cells, older=WEIGHTS
    ),
    Case(
        "GRUCell by the names of 0.12",
        GRU.network,
        GRU.layers,
        rule("gru_cell", "RNN/GRUCell", "parts/0/cell"),
        GRU.cells,
        older=LINEAR,
    ),
    Case(
        "BasicRNNCell by the names of 0.12",
        lambda x: forward(basic_rnn(), x),
        layer("SimpleRNN"),
        rule("basic_rnn_cell", "RNN/BasicRNNCell", "parts/0/cell"),
        {"rnn/basic_rnn_cell": "parts/0/cell"},
        older=LINEAR,
    ),
    Case(
        "two layers of CudnnLSTM",
        cudnn("cudnn_lstm", lambda x: forward(stack(cudnn_lstm_cell(), cudnn_lstm_cell()), x)),
        layers(2, "LSTM"),
        rule("cudnn_lstm", f"cudnn_lstm/{NTH_CELL}/cudnn_compatible_lstm_cell", IN_LAYERS),
        two_layers("cudnn_compatible_lstm_cell", "cudnn_lstm/rnn/multi_rnn_cell"),
    ),
    Case(
        "two layers of CudnnLSTM of both directions",
        cudnn("cudnn_lstm", lambda x: both_ways_twice(cudnn_lstm_cell, x)),
        both(2, "LSTM"),
        rule_per_way(
            "cudnn_lstm", f"cudnn_lstm/{NTH_OF_BOTH}", "cudnn_compatible_lstm_cell", part="$i"
        ),
        two_of_both("cudnn_compatible_lstm_cell", "cudnn_lstm/"),
    ),
    CUDNN_GRU,
    Case(
        "two layers of CudnnGRU of both directions",
        cudnn("cudnn_gru", lambda x: both_ways_twice(cudnn_gru_cell, x)),
        both(2, "GRU"),
        rule_per_way(
            "cudnn_gru", f"cudnn_gru/{NTH_OF_BOTH}", "cudnn_compatible_gru_cell", part="$i"
        ),
        two_of_both("cudnn_compatible_gru_cell", "cudnn_gru/"),
    ),
]
each_case = pytest.mark.parametrize("case", CASES, ids=str)


def network(keras: Any, made: list) -> Any:
    class Network(keras.Model):
        def __init__(self):
            super().__init__()
            # Keras 3 tracks nothing in lists.
            self.parts = tuple(made)

        def call(self, x):
            return reduce(lambda x, part: part(x), self.parts, x)

    model = Network()
    model(SEQUENCES)
    return model


@dataclass(frozen=True)
class Takeover:
    """A program in Keras that waits for what TF1 has saved."""

    source: Source
    model: Any
    folder: Path
    values: Callable[[Any, Values], list[tuple[Any, np.ndarray]]]

    @classmethod
    def of(cls, case: Case, keras: Any, folder: Path) -> "Takeover":
        made = cls(case.source(folder), network(keras, case.layers(keras)), folder, case.values)
        made.checkpoint().write(str(made.fresh))
        return made

    @property
    def fresh(self) -> Path:
        return self.folder / "fresh"

    def checkpoint(self) -> tf.train.Checkpoint:
        return tf.train.Checkpoint(model=self.model)

    def pairs(self) -> list[tuple[Any, np.ndarray]]:
        return self.values(self.model, self.source.values)

    def rules(self, rules: str, *more: str, name: str = "rules") -> Path:
        path = self.folder / f"{name}.yaml"
        path.write_text("\n".join(["version: 1", "root: model", *more, "rules:", rules]))
        return path

    def convert(self, rules: Path, *flags: str | Path) -> Path:
        """Without a template if there are other flags."""
        new = self.folder / f"new from {rules.name}"
        flags = flags or ("--like", self.fresh)
        run("convert", self.source.prefix, "--map", rules, "-o", new, *flags)
        self.restore(new)
        return new

    def restore(self, new: Path) -> None:
        noise([variable for variable, _ in self.pairs()], "nothing is right before the restore")
        status = self.checkpoint().restore(str(new))
        status.assert_consumed()
        status.assert_existing_objects_matched()

    def refused(self, rules: Path) -> str:
        """What is said when the answer is no; nothing may be written then."""
        new = self.folder / "new"
        like = ("--like", self.fresh)
        said = run("convert", self.source.prefix, "--map", rules, "-o", new, *like, status=1)
        assert not list(self.folder.glob("new*"))
        return said

    def wrong(self) -> list[str]:
        return [v.name for v, value in self.pairs() if not same(v.numpy(), value, 0)]

    def difference(self) -> float:
        return relative_difference(self.model(SEQUENCES), self.source.outputs)

    def assert_right(self) -> None:
        assert len(self.pairs()) == len(self.leaves())
        assert not self.wrong()
        assert self.difference() <= LARGEST_DIFFERENCE

    def leaves(self) -> list[str]:
        stored = tf.train.load_checkpoint(str(self.fresh)).get_variable_to_shape_map()
        return [key for key in stored if key.endswith("VARIABLE_VALUE")]


@each_keras
@each_case
def test_the_same_values_and_outputs(case, keras, tmp_path):
    takeover = Takeover.of(case, keras, tmp_path)
    takeover.convert(takeover.rules(case.rules))
    takeover.assert_right()


# Their leaves have the same names in every Keras.
@each_keras
@pytest.mark.parametrize("case", [BASIC_LSTM, BOTH_GRU, CUDNN_GRU], ids=str)
def test_without_a_template(case, keras, tmp_path):
    takeover = Takeover.of(case, keras, tmp_path)
    target = next(name for name, flavour in FLAVOURS.items() if flavour is keras)
    takeover.convert(takeover.rules(case.rules, f"target: {target}"), "--for", "restore")
    takeover.assert_right()


@each_keras
@each_case
def test_there_and_back(case, keras, tmp_path):
    takeover = Takeover.of(case, keras, tmp_path)
    rules, old, back = takeover.rules(case.rules), takeover.source.prefix, tmp_path / "back"
    run(
        *("convert", takeover.convert(rules), "--map", rules, "--reverse"),
        *("--like", old, "-o", back),
    )
    found, wanted = checkpoint_values(str(back)), checkpoint_values(old)
    assert found.keys() == wanted.keys()
    # A forget bias that was added is taken away again: what is left is what numbers near 1 have.
    added = any(CONVERSIONS[scope.rpartition("/")[2]] is from_lstm for scope in case.cells)
    apart = max(np.max(np.abs(found[name] - wanted[name])) for name in wanted)
    assert apart <= (np.finfo(np.float32).eps if added else 0)


NAMED = rule("basic_lstm_cell", f"{NTH_CELL}/basic_lstm_cell", "{name: 'layer_${i+1}/lstm_cell'}")


@each_keras
def test_cells_by_the_names_of_their_variables(keras, tmp_path):
    """In a functional model, whose paths say nothing."""
    inputs = keras.Input(SEQUENCES.shape[1:])
    made = [keras.layers.LSTM(UNITS, return_sequences=True, name=f"layer_{i}") for i in (1, 2)]
    model = keras.Model(inputs, reduce(lambda x, layer: layer(x), made, inputs))

    def values(_: Any, stored: Values) -> list[tuple[Any, np.ndarray]]:
        scopes = [f"rnn/multi_rnn_cell/cell_{i}/basic_lstm_cell" for i in range(2)]
        expected = [value for scope in scopes for value in from_lstm(stored, scope)]
        variables = [getattr(layer.cell, leaf) for layer in made for leaf in LEAVES]
        return list(zip(variables, expected, strict=True))

    takeover = Takeover(TWO_LSTM.source(tmp_path), model, tmp_path, values)
    takeover.checkpoint().write(str(takeover.fresh))
    takeover.convert(takeover.rules(NAMED))
    takeover.assert_right()


SPLIT = f"{{split: {{axis: 0, sizes: [{UNITS}, {UNITS}]}}}}"
KERNELS = "[parts/0/cell/kernel, parts/0/cell/recurrent_kernel]"
# What people write who know less of cells than the tool does.
MISTAKES = {
    "no forget bias": (BASIC_LSTM, BASIC_LSTM.rules.replace("}", ", forget_bias: 0.0}")),
    "gates of an LSTM as they are": (
        BASIC_LSTM,
        f"""\
  - {{from: 'rnn/basic_lstm_cell/kernel', to: {KERNELS}, apply: [{SPLIT}]}}
  - from: 'rnn/basic_lstm_cell/bias'
    to: parts/0/cell/bias
    apply: [{{gates: {{order: [0, 2, 1, 3], add: [0, 1, 0, 0]}}}}]
""",
    ),
    "gates of a GRU as they are": (
        GRU,
        f"""\
  - from: ['rnn/gru_cell/gates/kernel', 'rnn/gru_cell/candidate/kernel']
    to: {KERNELS}
    apply: [{{concat: -1}}, {SPLIT}]
  - from: ['rnn/gru_cell/gates/bias', 'rnn/gru_cell/candidate/bias']
    to: parts/0/cell/bias
    apply: [{{concat: 0}}, {{gates: [1, 0, 2]}}]
""",
    ),
    "layers swapped": (TWO_LSTM, TWO_LSTM.rules.replace("$i", "${1-i}")),
    "directions swapped": (
        BOTH_GRU,
        BOTH_GRU.rules.replace("fw", "?").replace("bw", "fw").replace("?", "bw"),
    ),
}


@each_keras
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_noticed(mistake, keras, tmp_path):
    """Such conversions go through: only values and outputs say that they are wrong."""
    case, rules = MISTAKES[mistake]
    takeover = Takeover.of(case, keras, tmp_path)
    takeover.convert(takeover.rules(rules, name="wrong"))
    assert takeover.wrong()
    assert takeover.difference() > SMALLEST_MISTAKE
    takeover.convert(takeover.rules(case.rules))
    takeover.assert_right()


@dataclass(frozen=True)
class Misfit:
    """What no Keras layer computes, or not this one; and what has to be said of it."""

    network: Callable[[Any], Any]
    layers: Callable[[Any], list]
    rules: str
    words: tuple[str, ...]


def wide_lstm(keras: Any) -> list:
    return [keras.layers.LSTM(UNITS + 1, return_sequences=True)]


LSTM_CELL_RULE = rule("lstm_cell", "rnn/lstm_cell", "parts/0/cell")
MISFITS = {
    "peepholes": Misfit(
        lambda x: forward(lstm_cell(use_peepholes=True), x),
        layer("LSTM"),
        LSTM_CELL_RULE,
        ("rnn/lstm_cell", "peepholes"),
    ),
    "projection": Misfit(
        lambda x: forward(lstm_cell(num_proj=UNITS), x),
        layer("LSTM"),
        LSTM_CELL_RULE,
        ("rnn/lstm_cell", "projected"),
    ),
    "a GRU that resets after": Misfit(
        GRU.network, layer("GRU"), GRU.rules, ("parts/0/cell", "reset_after=False")
    ),
    "a GRU that resets before": Misfit(
        lambda x: forward(cudnn_gru_cell(), x),
        layer("GRU", **BEFORE_RESET),
        rule("cudnn_gru", "rnn/cudnn_compatible_gru_cell", "parts/0/cell"),
        ("parts/0/cell", "reset_after=True"),
    ),
    "other units": Misfit(
        BASIC_LSTM.network,
        wide_lstm,
        BASIC_LSTM.rules,
        ("rnn/basic_lstm_cell", "parts/0/cell", f"{UNITS} units", f"{UNITS + 1}"),
    ),
    "another kind of cell": Misfit(
        GRU.network, layer("LSTM"), GRU.rules, ("rnn/gru_cell", "parts/0/cell")
    ),
    "rules for another kind of cell": Misfit(
        GRU.network,
        layer("LSTM"),
        rule("basic_lstm_cell", "rnn/gru_cell", "parts/0/cell"),
        ("rnn/gru_cell", "gru_cell"),
    ),
}


@each_keras
@pytest.mark.parametrize("misfit", MISFITS)
def test_what_does_not_fit_is_refused_in_one_sentence(misfit, keras, tmp_path):
    of = MISFITS[misfit]
    case = Case(misfit, of.network, of.layers, of.rules, {})
    source = save(lambda: of.network(tf.constant(SEQUENCES)), tmp_path, misfit)
    takeover = Takeover(source, network(keras, of.layers(keras)), tmp_path, case.values)
    takeover.checkpoint().write(str(takeover.fresh))
    said = takeover.refused(takeover.rules(of.rules))
    sentence = said.splitlines()[0]
    missing = [word for word in of.words if word not in sentence]
    assert not missing, f"nothing of {missing} in:\n{said}"
    # That variables of the template get no value then is nothing new.
    assert said.splitlines()[-1].startswith("1 problem;")


def with_opaque_buffer(network: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """As a Saver that knows nothing of contrib's layers saves them as well."""

    def build(x: Any) -> Any:
        with tf1.variable_scope("cudnn_lstm"):
            buffer = tf1.get_variable("opaque_kernel", [7])
        return network(x) + 0 * tf.reduce_sum(buffer)

    return build


OPAQUE = {
    "beside the cells": (cudnn("cudnn_lstm", lambda x: forward(stack(cudnn_lstm_cell()), x)), 0),
    "alone": (lambda x: x, 1),
}


@each_keras
@pytest.mark.parametrize("what", OPAQUE)
def test_opaque_buffers_of_cudnn(what, keras, tmp_path):
    keras.backend.clear_session()
    inputs = keras.Input(SEQUENCES.shape[1:])
    model = keras.Model(inputs, keras.layers.LSTM(UNITS)(inputs))
    tf.train.Checkpoint(model=model).write(str(tmp_path / "fresh"))
    graph, status = OPAQUE[what]
    built = with_opaque_buffer(graph)
    source = save(lambda: built(tf.constant(SEQUENCES)), tmp_path, "opaque")
    rules, _ = rules_of("cudnn-rnn-keras", tmp_path)
    like = ("--like", tmp_path / "fresh", "-o", tmp_path / "new")
    said = run("convert", source.prefix, "--map", rules, *like, status=status)
    assert ("whose layout no one but cuDNN knows" in said) == bool(status)
