"""What surrounds the blocks of documents: old checkpoints, and what must be true afterwards.

A story is a function that is called in an empty folder. It makes what the reader has already,
yields names for the blocks of its section (or nothing), gets their namespace back when they have
run, and asserts. `documents.py` runs it; a new one needs no more than its function here.
"""

import inspect
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import tensorflow as tf
import tf_slim
import tf_slim.nets.resnet_utils
from absl.flags import FLAGS

import bert_graphs
from documents import WHOLE, perform, story, stretch, text_of
from families import (
    KERAS,
    Source,
    checkpoint_values,
    random_ids,
    random_input,
    relative_difference,
    save,
    tf1,
)
from flavours import FLAVOURS, tf1_cells, tf1_layers
from harness import TESTDATA, assert_same_outputs, convert
from programs import chain
from training import expected

COOKBOOK, OUTPUTS, COMPARISON = WHOLE


def keep(**arrays: Any) -> None:
    """What the old program computed."""
    np.savez("expected.npz", **arrays)


def old(graph: Callable[[], Any], folder: str = "old") -> Source:
    Path(folder).mkdir(parents=True)
    return save(graph, Path(folder), graph.__name__)


def first_of(document: str, section: str) -> dict:
    """What the first block of Python of another section leaves behind."""
    namespace = {}
    for block in [*stretch(document, "", "python"), *stretch(document, section, "python")[:1]]:
        perform(block, namespace, Path.cwd())
    return namespace


def rules_with(right: str, wrong: str) -> str:
    """Those that the blocks have written, saying something else."""
    rules = Path("rules.yaml").read_text()
    assert right in rules
    return rules.replace(right, wrong)


def misled(told: dict, rules: str, source: str = "old/model.ckpt", *flags: str) -> None:
    """The model of the blocks restores what other rules make of it: the trap of a recipe."""
    Path("other.yaml").write_text(rules)
    convert(source, "other.yaml", "other/ckpt", "--like", "fresh/ckpt", "--force", *flags)
    tf.train.Checkpoint(model=told["model"]).restore("other/ckpt").assert_consumed()


def apart(told: dict, inputs: str, outputs: str) -> float:
    expected = told["expected"]
    return relative_difference(told["model"](expected[inputs]), expected[outputs])


IMAGES = random_input("images", 4, 8, 8, 3)
INPUTS = random_input("inputs", 5, 6)
AUTO_NAMES = "Layers that TF1 named itself: conv2d, conv2d_1, …"


def cnn() -> Any:
    x = tf.constant(IMAGES)
    conv = {"padding": "same", "activation": tf.nn.relu}
    with tf1.variable_scope("model"):
        x = tf1_layers.conv2d(x, 16, 3, **conv)
        x = tf1_layers.batch_normalization(x)
        x = tf1_layers.conv2d(x, 16, 3, **conv)
        x = tf1_layers.conv2d(x, 16, 3, **conv)
        return tf1_layers.dense(tf.reduce_mean(x, [1, 2]), 10)


@story(AUTO_NAMES, document=COOKBOOK)
def auto_names():
    keep(images=IMAGES, logits=old(cnn).outputs)
    told = yield
    rules = Path("rules.yaml").read_text()
    swapped = rules.replace("body", "other").replace("neck", "body").replace("other", "neck")
    misled(told, swapped)
    assert apart(told, "images", "logits") > 0.01


@story("Which layer is which? The old program is gone", document=COOKBOOK)
def which_layer():
    keep(images=IMAGES, logits=old(cnn).outputs)
    yield first_of(COOKBOOK, AUTO_NAMES)


def bert_config() -> dict:
    return {
        "vocab_size": bert_graphs.VOCABULARY,
        "hidden_size": bert_graphs.HIDDEN,
        "num_hidden_layers": bert_graphs.LAYERS,
        "num_attention_heads": bert_graphs.HEADS,
        "intermediate_size": bert_graphs.INNER,
        "max_position_embeddings": bert_graphs.POSITIONS,
        "type_vocab_size": bert_graphs.SEGMENTS,
        "hidden_act": "gelu",
    }


def classifier_in_training() -> Any:
    outputs = bert_graphs.bert_classifier()
    for variable in tf1.trainable_variables():
        for slot in ("adam_m", "adam_v"):
            tf1.get_variable(f"{variable.op.name}/{slot}", variable.shape, trainable=False)
    return outputs["label"]


@story(
    "BERT, fine-tuned with run_classifier.py, to transformers", document=COOKBOOK, only=("2.15",)
)
def bert():
    source = old(classifier_in_training)
    Path("old/bert_config.json").write_text(json.dumps(bert_config()))
    ids, mask, segments = bert_graphs.IDS, bert_graphs.MASK, bert_graphs.SEGMENT_IDS
    keep(input_ids=ids, attention_mask=mask, token_type_ids=segments, logits=source.outputs)
    told = yield
    told["config"].hidden_act = "gelu"
    model = told["Classifier"](told["config"])
    model(told["tokens"])
    tf.train.Checkpoint(model=model).restore("new/ckpt").assert_consumed()
    # The trap.
    assert 1e-4 < relative_difference(model(told["tokens"]), source.outputs) < 1e-3


def autoencoder() -> Any:
    x = tf.constant(INPUTS)
    with tf1.variable_scope("encoder"):
        x = tf1_layers.dense(x, 8, tf.tanh, name="hidden")
        code = tf1_layers.dense(x, 4, name="code")
    x = tf1_layers.dense(code, 6, name="decoder")
    loss = tf.reduce_mean((x - INPUTS) ** 2)
    tf1.train.AdamOptimizer().minimize(loss, tf1.train.create_global_step())
    return code


@story("A new head: keep the encoder, drop the rest", document=COOKBOOK)
def new_head():
    keep(inputs=INPUTS, codes=old(autoencoder).outputs)
    told = yield
    fresh = tf.train.load_checkpoint("fresh/ckpt")
    kernels = [name for name, shape in tf.train.list_variables("fresh/ckpt") if shape == [4, 3]]
    head = told["model"].layers[-1].kernel.numpy()
    assert [np.array_equal(head, fresh.get_tensor(name)) for name in kernels] == [True]
    forgetful = rules_with("(\\w+)", "(hidden)") + "unmatched: drop\n"
    misled(told, forgetful, "old/model.ckpt", "--keep-missing")
    assert relative_difference(told["encoder"](INPUTS), told["expected"]["codes"]) > 0.01


def train_with_tf1(steps: int, more: int, optimizer: Any) -> None:
    """Saves after some steps and keeps the losses of more of them."""
    x = random_input("training", 12, 6)
    y = np.sin(x.sum(axis=1, keepdims=True))
    Path("old").mkdir()
    with tf1.Graph().as_default(), tf1.Session() as session:
        tf1.set_random_seed(7)
        hidden = tf1_layers.dense(tf.constant(x), 8, tf.tanh, name="hidden")
        loss = tf.reduce_mean((tf1_layers.dense(hidden, 1, name="head") - y) ** 2)
        step = optimizer.minimize(loss, tf1.train.create_global_step())
        session.run(tf1.global_variables_initializer())
        for _ in range(steps):
            session.run(step)
        tf1.train.Saver().save(session, "old/model.ckpt", write_state=False)
        losses = [session.run([loss, step])[0] for _ in range(more)]
    keep(inputs=x, targets=y, next_losses=losses)


@story("Continue training where TF1 stopped", document=COOKBOOK)
def continued():
    train_with_tf1(20, 10, tf1.train.AdamOptimizer(0.01))
    yield


def averaged() -> Any:
    def net(**options: Any) -> Any:
        with tf1.variable_scope("net", **options):
            x = tf1_layers.dense(tf.constant(INPUTS), 8, tf.nn.relu, name="hidden")
            x = tf1_layers.batch_normalization(x, name="norm")
            return tf1_layers.dense(x, 3, name="head")

    net()
    averages = tf1.train.ExponentialMovingAverage(0.999)
    averages.apply(tf1.trainable_variables())

    def average(getter: Callable, *args: Any, **kwargs: Any) -> Any:
        variable = getter(*args, **kwargs)
        return averages.average(variable) if variable.trainable else variable

    # As programs that evaluate build it.
    return net(reuse=True, custom_getter=average)


@story("Exponential moving averages instead of raw weights", document=COOKBOOK)
def moving_averages():
    keep(inputs=INPUTS, averaged=old(averaged).outputs)
    told = yield
    misled(told, rules_with("prefer", "ignore"))
    assert apart(told, "inputs", "averaged") > 0.01


SEQUENCES = random_input("cookbook's sequences", 3, 5, 4)


def recurrent() -> Any:
    cells = [tf1_cells.BasicLSTMCell(8), tf1_cells.GRUCell(8)]
    stack = tf1_cells.MultiRNNCell(cells)
    outputs, _ = tf1.nn.dynamic_rnn(stack, tf.constant(SEQUENCES), dtype=tf.float32)
    return outputs[:, -1]


@story("LSTM and GRU cells of tf.nn.rnn_cell to Keras layers", document=COOKBOOK)
def cells():
    keep(sequences=SEQUENCES, states=old(recurrent).outputs)
    told = yield
    misled(told, rules_with("forget_bias: 1.0", "forget_bias: 0.0"))
    assert apart(told, "sequences", "states") > 0.01


OLD_WORDS, NEW_WORDS = "the a cat sat mat".split(), "[PAD] mat the sat cat dog".split()
SENTENCES = np.array([[0, 2, 3, 4], [4, 2, 3, 0]], np.int32)


def texts() -> Any:
    with tf1.variable_scope("text"):
        words = tf1.get_variable("words", [5, 8])
        places = tf1.get_variable("places", [9, 8])
    x = tf.reduce_mean(tf.gather(words, SENTENCES) + places[:4], axis=1)
    return [tf1_layers.dense(x, 11, name="topics"), tf1_layers.dense(x, 2, name="moods")]


@story("More words, shorter positions, other classes", document=COOKBOOK)
def other_sizes():
    topics, _ = old(texts).outputs
    new_ids = np.array([[NEW_WORDS.index(OLD_WORDS[i]) for i in row] for row in SENTENCES])
    keep(new_ids=new_ids, topics=topics)
    Path("old_words.txt").write_text("\n".join(OLD_WORDS) + "\n")
    Path("new_words.txt").write_text("\n".join(NEW_WORDS) + "\n")
    yield


STATES = random_input("states", 2, 5, 12)


def attention(together: bool = False) -> Any:
    with tf1.variable_scope("h0"):
        x = tf1_layers.dense(tf.constant(STATES), 36, name="c_attn")
        if together:
            q, k, v = tf.unstack(tf.reshape(x, [2, 5, 3, 3, 4]), axis=3)
        else:
            q, k, v = (tf.reshape(one, [2, 5, 3, 4]) for one in tf.split(x, 3, axis=-1))
        scores = tf.nn.softmax(tf.einsum("btnd,bsnd->bnts", q, k) / 2)
        seen = tf.reshape(tf.einsum("bnts,bsnd->btnd", scores, v), [2, 5, 12])
        return tf1_layers.dense(seen, 12, name="c_proj")


@story("One attention matrix for query, key and value", document=COOKBOOK)
def fused_attention():
    keep(x=STATES, attended=old(attention).outputs)
    told = yield
    Path("together").mkdir()
    other = save(lambda: attention(together=True), Path("together"), "together")
    heads = "{split_axis: {axis: -1, into: [3, 3, -1]}}, {unstack: -2}"
    assert heads in text_of(COOKBOOK)
    misled(told, Path("rules.yaml").read_text(), other.prefix)
    assert relative_difference(told["model"](STATES), other.outputs) > 0.01
    misled(told, rules_with("{split: -1}, {reshape: target}", heads), other.prefix)
    assert relative_difference(told["model"](STATES), other.outputs) < 1e-5


@story("A checkpoint of 2016, with an embedding in parts", document=COOKBOOK)
def of_2016():
    Path("old").mkdir()
    ids = random_ids("words", (2, 3), 10)
    with tf1.Graph().as_default(), tf1.Session() as session:
        parts = tf1.fixed_size_partitioner(3)
        table = tf1.get_variable("embedding", [10, 4], partitioner=parts)
        tf1.train.create_global_step()
        looked_up = tf1.nn.embedding_lookup(list(table), ids)
        session.run(tf1.global_variables_initializer())
        saver = tf1.train.Saver(write_version=tf1.train.SaverDef.V1)
        saver.save(session, "old/model.ckpt", 2016, write_state=False)
        keep(ids=ids, looked_up=session.run(looked_up))
    assert Path("old/model.ckpt-2016").is_file()
    told = yield
    misled(told, rules_with(", apply: [{unpartition: mod}]", ""), "old/model.ckpt-2016")
    assert apart(told, "ids", "looked_up") > 0.01


@story("A whole archive of runs", document=COOKBOOK)
def archive():
    for run in "ab":
        Path("runs", run).mkdir(parents=True)
        with tf1.Graph().as_default(), tf1.Session() as session:
            with tf1.variable_scope("net"):
                tf1.get_variable("w", [2, 2])
                b = tf1.get_variable("b", [2])
            session.run(tf1.global_variables_initializer())
            for step in (100, 200):
                session.run(b.assign([step, step]))
                tf1.train.Saver().save(session, f"runs/{run}/model.ckpt", step)
    yield


@story("From Keras 2 to Keras 3", document=COOKBOOK, only=("2.21",))
def keras2():
    keras = FLAVOURS["keras2"]
    x = random_input("training", 12, 6)
    y = np.sin(x.sum(axis=1, keepdims=True))
    model = keras.Sequential(
        [
            keras.layers.Input((6,)),
            keras.layers.Dense(8, activation="tanh", name="hidden"),
            keras.layers.Dense(1, name="head"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")

    def train(epochs: int) -> list[float]:
        return model.fit(x, y, batch_size=len(x), epochs=epochs, verbose=0).history["loss"]

    train(20)
    tf.train.Checkpoint(model=model, optimizer=model.optimizer).save("keras2/ckpt")
    keep(inputs=x, targets=y, next_losses=train(10))
    yield


@story("Back to TF1's names, for a server that has not moved", document=COOKBOOK)
def back():
    Path("old").mkdir()
    with tf1.Graph().as_default(), tf1.Session() as session:
        tf1.get_variable("net/w", [2, 3])
        tf1.get_variable("net/b", initializer=[1.0, 2.0])
        session.run(tf1.global_variables_initializer())
        tf1.train.Saver().save(session, "old/model.ckpt", write_state=False)
    yield


ADAM = TESTDATA / "optimizers/adam"


def assert_adams_outputs(model: Any) -> None:
    truth = expected("adam")
    assert_same_outputs(model(truth.inputs[0]), truth.outputs)


def copy_adam(prefix: str) -> None:
    Path(prefix).parent.mkdir()
    for file in ADAM.glob("model.ckpt.*"):
        shutil.copy(file, f"{prefix}{file.suffix}")


@story("Five minutes", document="README.md", only=("2.21",))
def five_minutes():
    like = ("--like", TESTDATA / "templates/keras3_adam")
    Path("target/readme").mkdir(parents=True)
    convert(ADAM, ADAM / "rules.yaml", Path("target/readme/adam"), *like)
    told = yield
    assert_adams_outputs(told["model"])
    assert told["optimizer"].iterations.numpy() == 20


@story("From Python", document="README.md")
def from_python():
    copy_adam("runs/model.ckpt-1000")
    rules = (ADAM / "rules.yaml").read_text()
    Path("rules.yaml").write_text(rules.replace("{to: optimizer}", "drop"))
    dense = KERAS.layers.Dense
    hidden = {f"hidden_{i}": dense(5, activation="tanh") for i in (1, 2)}
    model = chain(KERAS, **hidden, head=dense(2))
    model(expected("adam").inputs[0])
    yield {"model": model}
    assert_adams_outputs(model)


@story(document="python.md")
def python_chapter():
    copy_adam("old/model.ckpt")
    told = yield
    assert_adams_outputs(told["model"])
    assert told["optimizer"].iterations.numpy() == 20


@story("For example, BERT", document="mappings.md", only=("2.15",))
def published_bert():
    sizes = {"VOCABULARY": 30522, "POSITIONS": 512, "HIDDEN": 128, "HEADS": 2, "INNER": 512}
    with mock.patch.multiple(bert_graphs, **sizes):
        source = save(bert_graphs.bert_classifier, Path(), "published")
    for file in Path().glob("model.ckpt.*"):
        file.rename(f"bert_{file.name}")
    told = yield
    model = told["model"]
    tf.train.Checkpoint(model=model).restore("new/ckpt").assert_consumed()
    ids, mask, segments = bert_graphs.IDS, bert_graphs.MASK, bert_graphs.SEGMENT_IDS
    pooled = model([ids, mask, segments]).pooler_output
    assert relative_difference(pooled, source.outputs["pooled"]) < 1e-5


@story("A template", document="optimizers.md")
def template():
    told = yield
    model, optimizer = told["model"], told["optimizer"]
    fresh = tf.train.Checkpoint(model=model, optimizer=optimizer).read("fresh/ckpt")
    fresh.assert_consumed()
    # A kernel, and its two moments.
    assert [shape for _, shape in tf.train.list_variables("fresh/ckpt")].count([5, 5]) == 3


@story(document=OUTPUTS, each=True)
def nothing_but_python():
    yield


@story("Batch normalization: epsilon", document=OUTPUTS)
def defaults():
    yield
    slim, resnet = tf_slim.layers.batch_norm, tf_slim.nets.resnet_utils.resnet_arg_scope
    assert default_of(slim, "epsilon") == 1e-3
    assert default_of(resnet, "batch_norm_epsilon") == 1e-5
    # Of the next section.
    assert (default_of(slim, "decay"), default_of(resnet, "batch_norm_decay")) == (0.999, 0.997)
    for layer in (KERAS.layers.BatchNormalization(), tf1_layers.BatchNormalization()):
        assert (layer.epsilon, layer.momentum) == (1e-3, 0.99)
    for module in (KERAS.applications.resnet, KERAS.applications.densenet):
        source = inspect.getsource(sys.modules[module.preprocess_input.__module__])
        assert "epsilon=1.001e-5" in source


def default_of(function: Callable, parameter: str) -> Any:
    return inspect.signature(function).parameters[parameter].default


PICTURES = random_input("pictures", 2, 6, 6, 8)


def three_convolutions() -> Any:
    x = tf1.placeholder_with_default(PICTURES, [None, 6, 6, 8], "images")
    for _ in range(3):
        x = tf1_layers.conv2d(x, 8, 3, padding="same", activation=tf.nn.relu)
    return x


@story("Are the values right?", document=OUTPUTS)
def two_taken_for_each_other():
    old(three_convolutions)
    conv = {"padding": "same", "activation": "relu"}
    layers = [KERAS.layers.Conv2D(8, 3, name=name, **conv) for name in ("stem", "body", "neck")]
    model = KERAS.Sequential([KERAS.layers.Input((6, 6, 8)), *layers])
    tf.train.Checkpoint(model=model).write("fresh/ckpt")
    yield {"model": model, "images": PICTURES}


def channels_first() -> Any:
    x = tf.transpose(tf.constant(PLANES), [0, 3, 1, 2])
    return tf1_layers.dense(tf.reshape(x, [2, -1]), 2)


PLANES = random_input("planes", 2, 3, 4, 5)


@story("Flatten: NCHW or NHWC", document=OUTPUTS)
def flattened():
    source = old(channels_first)
    model = KERAS.Sequential(
        [
            KERAS.layers.Input((3, 4, 5)),
            KERAS.layers.Flatten(),
            KERAS.layers.Dense(2, name="head"),
        ]
    )
    tf.train.Checkpoint(model=model).write("fresh/ckpt")
    yield {"model": model, "images": PLANES, "old_outputs": source.outputs}


def three_layers(classes: int) -> tuple[Any, Any]:
    """What they compute, and a step of training."""
    x = tf.constant(INPUTS)
    with tf1.variable_scope("net"):
        x = tf1_layers.dense(x, 8, tf.tanh, name="hidden")
        x = tf1_layers.dense(x, 8, tf.tanh, name="second")
        logits = tf1_layers.dense(x, classes, name="head")
    loss = tf.reduce_mean(logits**2)
    step = tf1.train.AdamOptimizer(0.01).minimize(loss, tf1.train.create_global_step())
    return logits, step


def faults() -> None:
    """`old`, and what may be wrong with it in folders of their own."""
    for folder, classes in (("old", 3), ("four_classes", 4)):
        Path(folder).mkdir()
        with tf1.Graph().as_default(), tf1.Session() as session:
            tf1.set_random_seed(3)
            logits, step = three_layers(classes)
            session.run(tf1.global_variables_initializer())
            for _ in range(20):
                session.run(step)
            tf1.train.Saver().save(session, f"{folder}/model.ckpt", write_state=False)
            if folder == "old":
                keep(inputs=INPUTS, outputs=session.run(logits))
    values = checkpoint_values("old/model.ckpt")
    write_tf1("without_head", {n: v for n, v in values.items() if not n.startswith("net/head")})
    # Of the same shape, and wrong.
    other = np.roll(values["net/second/kernel"], 1, axis=0)
    write_tf1("swapped", values | {"net/second/kernel": other})
    damage("old", "damaged", values["net/second/kernel"])


def damage(folder: str, copy: str, value: np.ndarray) -> None:
    """One bit of a value is another one in the copy."""
    shutil.copytree(folder, copy)
    data = Path(copy, "model.ckpt.data-00000-of-00001")
    stored = bytearray(data.read_bytes())
    stored[stored.index(value.tobytes())] ^= 1
    data.write_bytes(stored)


def write_tf1(folder: str, values: dict) -> None:
    Path(folder).mkdir()
    with tf1.Graph().as_default(), tf1.Session() as session:
        variables = {name: tf1.Variable(value) for name, value in values.items()}
        session.run(tf1.global_variables_initializer())
        tf1.train.Saver(variables).save(session, f"{folder}/model.ckpt", write_state=False)


@story(document=COMPARISON, each=True)
def with_faults():
    faults()
    yield


@story("Saver and init_from_checkpoint", document=COMPARISON, only=("2.15",))
def with_faults_for_savers():
    faults()
    yield


@contextmanager
def flags_of_its_own():
    """Programs define flags of the same names when they are imported, and absl has them once."""
    # Some have a short name as well, which comes and goes with the long one.
    others = {name: FLAGS[name] for name in FLAGS if FLAGS[name].name == name}
    for name in list(FLAGS):
        delattr(FLAGS, name)
    try:
        yield
    finally:
        for name in list(FLAGS):
            delattr(FLAGS, name)
        for name, flag in others.items():
            FLAGS[name] = flag


@story("A script for one family", document=COMPARISON, only=("2.15",))
def script_for_bert():
    faults()
    Path("bert").mkdir()
    source = save(classifier_in_training, Path("bert"), "bert")
    damage("bert", "bert_damaged", source.values["bert/pooler/dense/kernel"])
    Path("bert/bert_config.json").write_text(json.dumps(bert_config()))
    with flags_of_its_own():
        yield
