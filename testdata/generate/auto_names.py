"""Every layer that TF1 names by itself, at least twice, and every scope that disturbs the count."""

import json
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from generate.registry import case
from generate.slim import slim
from generate.tf1 import PREFIX, randomise, rng_for, save, tf1, write_expected

layers, scope = tf1.layers, tf1.variable_scope
SEQUENCE, IMAGE, VOLUME = (1, 4, 2), (1, 4, 4, 2), (1, 4, 4, 4, 2)


class Recorder:
    """Notes which variables TF1 created for which layer: the truth that rules must reproduce."""

    def __init__(self):
        self.created: dict[str, list[str]] = {}

    def __call__(self, target: str, make: Callable, *args, **options):
        before = len(tf1.global_variables())
        made = make(*args, **options)
        self.created[target] = [v.op.name for v in tf1.global_variables()[before:]]
        return made

    def twice(self, target: str, make: Callable, *args, **options) -> None:
        for number in (1, 2):
            self(f"{target}_{number}", make, *args, **options)


def tf_layers(record: Recorder) -> None:
    sequence, image, volume = tf.zeros(SEQUENCE), tf.zeros(IMAGE), tf.zeros(VOLUME)
    with scope("layers"):
        record.twice("layers/dense", layers.dense, sequence, 3)
        record.twice("layers/conv1d", layers.conv1d, sequence, 3, 2)
        record.twice("layers/conv2d", layers.conv2d, image, 3, 2)
        record.twice("layers/conv3d", layers.conv3d, volume, 3, 2)
        record.twice("layers/conv2d_transpose", layers.conv2d_transpose, image, 3, 2)
        record.twice("layers/conv3d_transpose", layers.conv3d_transpose, volume, 3, 2)
        record.twice("layers/separable_conv1d", layers.separable_conv1d, sequence, 3, 2)
        record.twice("layers/separable_conv2d", layers.separable_conv2d, image, 3, 2)
        record.twice("layers/norm", layers.batch_normalization, image)
        record.twice("layers/renorm", layers.batch_normalization, image, renorm=True)
        # Layers without variables count by themselves only.
        layers.flatten(layers.dropout(layers.max_pooling2d(image, 2, 2)))
        record("layers/dense_3", layers.dense, sequence, 3)


def slim_layers(record: Recorder) -> None:
    sequence, image, volume = tf.zeros(SEQUENCE), tf.zeros(IMAGE), tf.zeros(VOLUME)
    flat = tf.zeros([2, 4])
    with scope("slim"):
        record.twice("slim/conv1d", slim.conv1d, sequence, 3, 2)
        record.twice("slim/conv2d", slim.conv2d, image, 3, 2)
        record.twice("slim/conv3d", slim.conv3d, volume, 3, 2)
        record.twice("slim/normalized", slim.conv2d, image, 3, 2, normalizer_fn=slim.batch_norm)
        record.twice("slim/conv2d_transpose", slim.conv2d_transpose, image, 3, 2)
        record.twice("slim/separable", slim.separable_conv2d, image, 3, 2, depth_multiplier=1)
        record.twice("slim/depthwise", slim.separable_conv2d, image, None, 2, depth_multiplier=1)
        record.twice("slim/dense", slim.fully_connected, flat, 3)
        record.twice("slim/norm", slim.batch_norm, image)
        record.twice("slim/scaled_norm", slim.batch_norm, image, scale=True)
        record.twice("slim/layer_norm", slim.layer_norm, flat)
        record.twice("slim/instance_norm", slim.instance_norm, image)
        record.twice("slim/group_norm", slim.group_norm, image, groups=2)
        record.twice("slim/bias", slim.bias_add, flat)
        record("slim/stack", slim.stack, flat, slim.fully_connected, [3, 3], scope="fc")
        record("slim/repeat", slim.repeat, image, 2, slim.conv2d, 2, 1)


def rnn_cells(record: Recorder) -> None:
    cells, sequence = tf1.nn.rnn_cell, tf.zeros(SEQUENCE)

    def unrolled(cell):
        return tf1.nn.dynamic_rnn(cell, sequence, dtype=tf.float32)

    def called(cell):
        return cell(sequence[:, 0], cell.zero_state(1, tf.float32))

    lstm_options = {"use_peepholes": True, "num_proj": 2}
    with scope("cells"):
        for number in (1, 2):
            with scope(f"net_{number}"):
                record(f"cells/rnn_{number}", unrolled, cells.BasicRNNCell(3))
        record.twice("cells/basic_rnn", lambda: called(cells.BasicRNNCell(3)))
        record.twice("cells/basic_lstm", lambda: called(cells.BasicLSTMCell(3)))
        record.twice("cells/lstm", lambda: called(cells.LSTMCell(3)))
        record.twice("cells/full_lstm", lambda: called(cells.LSTMCell(3, **lstm_options)))
        record.twice("cells/gru", lambda: called(cells.GRUCell(3)))
        wrapped = [cells.DropoutWrapper(cells.BasicLSTMCell(3)) for _ in range(2)]
        record("cells/multi", unrolled, cells.MultiRNNCell(wrapped))
        both = cells.GRUCell(3), cells.GRUCell(3)
        record("cells/both", tf1.nn.bidirectional_dynamic_rnn, *both, sequence, dtype=tf.float32)


def scopes(record: Recorder) -> None:
    x = tf.zeros([2, 3])

    def dense(target: str, name: str | None = None) -> None:
        record(f"scopes/{target}", layers.dense, x, 3, name=name)

    with scope("interleaved"):
        dense("interleaved/first")
        record("scopes/interleaved/conv", layers.conv2d, tf.zeros(IMAGE), 3, 2)
        dense("interleaved/second")
    with scope("a"):
        dense("a/first")
        dense("a/second")
    with scope("a", reuse=True):
        # Shares both, in order, and makes nothing.
        layers.dense(x, 3)
        layers.dense(x, 3)
    with scope("empty"):
        for _ in range(2):
            with scope("dense"):
                pass
        dense("empty/after")
    with scope("named"):
        dense("named/named", "dense")
        dense("named/after")
    with scope("between"):
        dense("between/before")
        dense("between/named", "dense_1")
        dense("between/after")
    with scope("gap"):
        with scope("dense_1"):
            pass
        for target in ("first", "second", "third"):
            dense(f"gap/{target}")
    with scope("other"):
        dense("other/named", "foo")
        with tf1.name_scope("ignored"):
            dense("other/first")
        dense("other/second")
    with scope("whole/dense"):
        pass
    with scope("whole"):
        dense("whole/after")
    with scope("left"), scope("dense"):
        pass
    with scope("left"):
        # Leaving the scope above forgot what was counted in it.
        dense("left/after")
    with scope("reopened"):
        dense("reopened/first")
        with scope("inner"):
            dense("reopened/inner_first")
        with scope("inner", reuse=tf1.AUTO_REUSE):
            layers.dense(x, 3)
            dense("reopened/inner_second")
    for number in (1, 2):
        with scope(None, "block"):
            dense(f"block_{number}/first")
            dense(f"block_{number}/second")
    objects = [layers.Dense(3) for _ in range(2)]
    with scope("objects"):
        # Numbers follow the calls, not the construction.
        record("scopes/objects/first", objects[1], x)
        record("scopes/objects/second", objects[0], x)
        objects[1](x)
    template = tf1.make_template("template", lambda: layers.dense(layers.dense(x, 3), 3))
    record("scopes/template", template)
    template()
    dense("root/first")
    dense("root/second")


@case("auto_names")
def auto_names(directory: Path) -> None:
    record = Recorder()
    with tf.Graph().as_default(), tf1.Session() as session:
        for part in (tf_layers, slim_layers, rnn_cells, scopes):
            part(record)
        randomise(session, rng_for("auto_names"))
        save(session, directory / PREFIX)
        write_expected(directory, session)
    with open(directory / "created.json", "w", encoding="utf-8") as out:
        json.dump(record.created, out, indent=1)
        out.write("\n")
