"""BERT, ALBERT and ELECTRA as google-research wrote them for TF1.

Their graphs are rebuilt here. Where the `bert-tensorflow` package is at hand, pre-trained BERT is
its own, and what is rebuilt must have the same variables and compute the same.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import tensorflow as tf

from families import Source, random_ids, relative_difference, save, tf1
from flavours import VERSION

BATCH, LENGTH = 2, 7
VOCABULARY, POSITIONS, SEGMENTS = 40, 11, 2
HIDDEN, HEADS, INNER, EMBEDDING = 12, 3, 20, 8
LAYERS = 2
# ELECTRA's generator is a smaller BERT.
SMALL_HIDDEN, SMALL_INNER = 6, 10
# ALBERT goes through each group of layers several times.
GROUPS, LAYERS_IN_GROUP, PASSES = 2, 2, 4
LABELS = 3

IDS = random_ids("bert", (BATCH, LENGTH), VOCABULARY)
SEGMENT_IDS = random_ids("bert segments", (BATCH, LENGTH), SEGMENTS)
MASK = np.array([[1] * LENGTH, [1] * (LENGTH - 2) + [0] * 2], np.int32)

Tensor = tf.Tensor
Graph = Callable[[], dict[str, Tensor]]
scope = tf1.variable_scope
# BERT and ALBERT have the approximate one, ELECTRA the other.
approximate_gelu = partial(tf.nn.gelu, approximate=True)


def dense(x: Tensor, units: int, name: str, activation: Callable | None = None) -> Tensor:
    with scope(name):
        kernel = tf1.get_variable("kernel", [x.shape[-1], units])
        sums = tf.tensordot(x, kernel, 1) + tf1.get_variable("bias", [units])
    return activation(sums) if activation else sums


def normalized(x: Tensor, name: str | None = None) -> Tensor:
    """`tf.contrib.layers.layer_norm`, which numbers its scopes."""
    with scope(name, "LayerNorm"):
        beta, gamma = (tf1.get_variable(leaf, [x.shape[-1]]) for leaf in ("beta", "gamma"))
    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-12)


def embedded(width: int) -> tuple[Tensor, Tensor]:
    """The inputs, and the table of words."""
    with scope("embeddings"):
        words = tf1.get_variable("word_embeddings", [VOCABULARY, width])
        segments = tf1.get_variable("token_type_embeddings", [SEGMENTS, width])
        positions = tf1.get_variable("position_embeddings", [POSITIONS, width])
        summed = tf.gather(words, IDS) + tf.gather(segments, SEGMENT_IDS) + positions[:LENGTH]
        return normalized(summed), words


def attended(x: Tensor) -> Tensor:
    width = x.shape[-1]
    per_head = [BATCH, LENGTH, HEADS, width // HEADS]
    query, key, value = (
        tf.reshape(dense(x, width, name), per_head) for name in ("query", "key", "value")
    )
    scores = tf.einsum("btnd,bsnd->bnts", query, key) / np.sqrt(width // HEADS)
    hidden = -10000.0 * (1 - MASK[:, None, None, :])
    weights = tf.nn.softmax(scores + hidden)
    return tf.reshape(tf.einsum("bnts,bsnd->btnd", weights, value), x.shape)


def encoded(x: Tensor, inner: int, gelu: Callable) -> Tensor:
    """BERT's layers."""
    width = x.shape[-1]
    for i in range(LAYERS):
        with scope(f"layer_{i}"):
            with scope("attention"):
                with scope("self"):
                    seen = attended(x)
                with scope("output"):
                    x = normalized(dense(seen, width, "dense") + x)
            wide = dense(x, inner, "intermediate/dense", gelu)
            with scope("output"):
                x = normalized(dense(wide, width, "dense") + x)
    return x


def word_scores(x: Tensor, words: Tensor) -> Tensor:
    """Which word it is, by the table of words."""
    bias = tf1.get_variable("output_bias", [VOCABULARY])
    return log_chances(tf.tensordot(x, words, [-1, -1]) + bias)


def log_chances(scores: Tensor) -> Tensor:
    """Of every word at every place, as the programs compute them."""
    return tf.nn.log_softmax(tf.reshape(scores, [-1, VOCABULARY]))


def label_scores(x: Tensor, labels: int) -> Tensor:
    weights = tf1.get_variable("output_weights", [labels, x.shape[-1]])
    return tf.tensordot(x, weights, [-1, -1]) + tf1.get_variable("output_bias", [labels])


def pretraining_heads(sequence: Tensor, pooled: Tensor, words: Tensor) -> dict[str, Tensor]:
    with scope("cls/predictions"):
        with scope("transform"):
            x = normalized(dense(sequence, words.shape[-1], "dense", approximate_gelu))
        word = word_scores(x, words)
    with scope("cls/seq_relationship"):
        order = tf.nn.log_softmax(label_scores(pooled, 2))
    return {"word": word, "order": order}


def plain_bert() -> tuple[dict[str, Tensor], Tensor]:
    with scope("bert"):
        x, words = embedded(HIDDEN)
        with scope("encoder"):
            sequence = encoded(x, INNER, approximate_gelu)
        pooled = dense(sequence[:, 0], HIDDEN, "pooler/dense", tf.tanh)
    return {"sequence": sequence, "pooled": pooled}, words


def rebuilt_bert() -> dict[str, Tensor]:
    """As pre-training leaves it."""
    outputs, words = plain_bert()
    tf1.train.create_global_step()
    return outputs | pretraining_heads(outputs["sequence"], outputs["pooled"], words)


@cache
def package() -> SimpleNamespace:
    """`bert-tensorflow`, for whose only need of `tf.contrib` there is a substitute."""
    contrib = ModuleType("tensorflow.contrib")
    contrib.layers = SimpleNamespace(
        layer_norm=lambda inputs, begin_norm_axis, begin_params_axis, scope: normalized(
            inputs, scope
        )
    )
    sys.modules[contrib.__name__] = contrib
    try:
        from bert import modeling, run_pretraining
    finally:
        del sys.modules[contrib.__name__]
    return SimpleNamespace(modeling=modeling, run_pretraining=run_pretraining)


def original_bert() -> dict[str, Tensor]:
    modeling, pretraining = package().modeling, package().run_pretraining
    config = modeling.BertConfig(
        VOCABULARY,
        HIDDEN,
        LAYERS,
        HEADS,
        INNER,
        max_position_embeddings=POSITIONS,
        type_vocab_size=SEGMENTS,
    )
    model = modeling.BertModel(config, False, *map(tf.constant, (IDS, MASK, SEGMENT_IDS)))
    sequence, pooled = model.get_sequence_output(), model.get_pooled_output()
    everywhere = tf.constant(np.tile(np.arange(LENGTH, dtype=np.int32), (BATCH, 1)))
    # For the losses, which nobody asks for.
    labels, weights = tf.zeros_like(everywhere), tf.ones([BATCH * LENGTH])
    _, _, word = pretraining.get_masked_lm_output(
        config, sequence, model.get_embedding_table(), everywhere, labels, weights
    )
    _, _, order = pretraining.get_next_sentence_output(config, pooled, labels[:, 0])
    tf1.train.create_global_step()
    return {"sequence": sequence, "pooled": pooled, "word": word, "order": order}


def bert_classifier() -> dict[str, Tensor]:
    """As `run_classifier.py` leaves it."""
    outputs, _ = plain_bert()
    tf1.train.create_global_step()
    return outputs | {"label": label_scores(outputs["pooled"], LABELS)}


def bert_answers() -> dict[str, Tensor]:
    """As `run_squad.py` leaves it."""
    outputs, _ = plain_bert()
    with scope("cls/squad"):
        start, end = tf.unstack(label_scores(outputs["sequence"], 2), axis=-1)
    return outputs | {"start": start, "end": end}


def albert_layer(x: Tensor) -> Tensor:
    width = x.shape[-1]
    with scope("attention_1"):
        with scope("self"):
            seen = attended(x)
        x = dense(seen, width, "output/dense") + x
    x = normalized(x)
    with scope("ffn_1/intermediate"):
        wide = dense(x, INNER, "dense", approximate_gelu)
        summed = dense(wide, width, "output/dense") + x
    return normalized(summed)


def plain_albert(groups: int, layers_in_group: int) -> tuple[dict[str, Tensor], Tensor]:
    with scope("bert"):
        x, words = embedded(EMBEDDING)
        with scope("encoder"):
            x = dense(x, HIDDEN, "embedding_hidden_mapping_in")
            with scope("transformer", reuse=tf1.AUTO_REUSE):
                for i in range(PASSES):
                    with scope(f"group_{i * groups // PASSES}"):
                        for k in range(layers_in_group):
                            with scope(f"inner_group_{k}"):
                                x = albert_layer(x)
        pooled = dense(x[:, 0], HIDDEN, "pooler/dense", tf.tanh)
    return {"sequence": x, "pooled": pooled}, words


def pretrained_albert() -> dict[str, Tensor]:
    outputs, words = plain_albert(GROUPS, LAYERS_IN_GROUP)
    tf1.train.create_global_step()
    return outputs | pretraining_heads(outputs["sequence"], outputs["pooled"], words)


def published_albert() -> dict[str, Tensor]:
    """All published ones have a single layer."""
    return plain_albert(1, 1)[0]


def hub_albert() -> dict[str, Tensor]:
    """Modules of TensorFlow Hub live in a scope of their own."""
    with scope("module"):
        return published_albert()


def electra() -> dict[str, Tensor]:
    """Both models, which share the embeddings, as pre-training leaves them."""
    with scope("electra"):
        shared, words = embedded(EMBEDDING)
        x = dense(shared, HIDDEN, "embeddings_project")
        with scope("encoder"):
            sequence = encoded(x, INNER, tf.nn.gelu)
    with scope("discriminator_predictions"):
        judged = dense(sequence, HIDDEN, "dense", tf.nn.gelu)
        fake = tf.squeeze(dense(judged, 1, "dense_1"), -1)
    with scope("generator"):
        x = dense(shared, SMALL_HIDDEN, "embeddings_project")
        with scope("encoder"):
            generated = encoded(x, SMALL_INNER, tf.nn.gelu)
    with scope("generator_predictions"):
        x = normalized(dense(generated, EMBEDDING, "dense", tf.nn.gelu))
        word = word_scores(x, words)
    tf1.train.create_global_step()
    return {"sequence": sequence, "fake": fake, "word": word}


def wide_electra() -> dict[str, Tensor]:
    """Without a projection, as the large one is."""
    with scope("electra"):
        x, _ = embedded(HIDDEN)
        with scope("encoder"):
            return {"sequence": encoded(x, INNER, tf.nn.gelu)}


def written(graph: Graph, *names: str) -> Callable[[Path], Source]:
    def write(folder: Path) -> Source:
        source = save(graph, folder, graph.__name__)
        return replace(source, outputs=[source.outputs[name] for name in names])

    return write


def pretrained_bert(*names: str) -> Callable[[Path], Source]:
    if VERSION != "2.15":
        return written(rebuilt_bert, *names)

    def write(folder: Path) -> Source:
        source = written(original_bert, *names)(folder)
        assert_rebuilt(source, folder / "rebuilt", *names)
        return source

    return write


def assert_rebuilt(source: Source, folder: Path, *names: str) -> None:
    """What stands for the package where it is missing is the same model."""

    def graph() -> list[Tensor]:
        outputs = rebuilt_bert()
        return [outputs[name] for name in names]

    folder.mkdir()
    rebuilt = save(graph, folder, "", lambda name, shape, dtype, rng: source.values[name])
    assert shapes(rebuilt) == shapes(source)
    assert relative_difference(rebuilt.outputs, source.outputs) < 1e-5


def shapes(source: Source) -> dict[str, tuple]:
    return {name: (value.shape, value.dtype) for name, value in source.values.items()}
