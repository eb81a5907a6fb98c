"""Text in, text out: OpenAI's GPT-2 and the T5 of Mesh TensorFlow, each small."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf

from families import Family, Source, Target, Values, family, misfit, random_ids, save
from flavours import VERSION

tf1 = tf.compat.v1

if VERSION == "2.15":
    # The package would turn eager execution off for everybody.
    with mock.patch.object(tf1, "disable_eager_execution"):
        from gpt_2_simple.src import model as published
    from transformers import (
        GPT2Config,
        T5Config,
        TFGPT2LMHeadModel,
        TFGPT2Model,
        TFT5EncoderModel,
        TFT5ForConditionalGeneration,
        TFT5Model,
    )
else:
    import keras
    import keras_hub

VOCABULARY, WIDTH, HEADS, LAYERS, POSITIONS = 23, 8, 2, 2, 12

# Variables and what they must hold.
Pairs = Iterator[tuple]


def gelu(x):
    """The approximation by a hyperbolic tangent, which both models use."""
    return 0.5 * x * (1 + tf.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def gpt2_ids() -> np.ndarray:
    return random_ids("gpt2", (2, 9), VOCABULARY)


def gpt2_published():
    """By the code of OpenAI, as the package `gpt-2-simple` has it."""
    params = published.HParams(VOCABULARY, POSITIONS, WIDTH, HEADS, LAYERS)
    return published.model(params, tf.constant(gpt2_ids()))["logits"]


def gpt2_norm(x, scope: str):
    with tf1.variable_scope(scope):
        gain, bias = (tf1.get_variable(name, [WIDTH]) for name in "gb")
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, bias, gain, 1e-5)


def gpt2_conv(x, scope: str, outputs: int):
    """A convolution over one position, written as such."""
    with tf1.variable_scope(scope):
        kernel = tf1.get_variable("w", [1, x.shape[-1], outputs])
        return tf.nn.conv1d(x, kernel, 1, "VALID") + tf1.get_variable("b", [outputs])


def in_heads(x):
    return tf.reshape(x, [*x.shape[:-1], HEADS, -1])


def gpt2_attention(x):
    with tf1.variable_scope("attn"):
        fused = gpt2_conv(x, "c_attn", 3 * WIDTH)
        query, key, value = map(in_heads, tf.split(fused, 3, -1))
        scores = tf.einsum("bqhd,bkhd->bhqk", query, key) / np.sqrt(WIDTH / HEADS)
        length = x.shape[1]
        weights = tf.nn.softmax(scores - 1e10 * (1 - np.tri(length, dtype=np.float32)))
        found = tf.einsum("bhqk,bkhd->bqhd", weights, value)
        return gpt2_conv(tf.reshape(found, x.shape), "c_proj", WIDTH)


def gpt2_rebuilt():
    """For where the package is not; that both are the same is asserted where it is."""
    ids = gpt2_ids()
    with tf1.variable_scope("model"):
        positions = tf1.get_variable("wpe", [POSITIONS, WIDTH])
        tokens = tf1.get_variable("wte", [VOCABULARY, WIDTH])
        x = tf.gather(tokens, ids) + positions[: ids.shape[1]]
        for layer in range(LAYERS):
            with tf1.variable_scope(f"h{layer}"):
                x += gpt2_attention(gpt2_norm(x, "ln_1"))
                normal = gpt2_norm(x, "ln_2")
                with tf1.variable_scope("mlp"):
                    x += gpt2_conv(gelu(gpt2_conv(normal, "c_fc", 4 * WIDTH)), "c_proj", WIDTH)
        return tf.matmul(gpt2_norm(x, "ln_f"), tokens, transpose_b=True)


def gpt2(folder: Path) -> Source:
    rebuilt = save(gpt2_rebuilt, folder, "gpt2")
    if VERSION != "2.15":
        return rebuilt
    source = save(gpt2_published, folder, "gpt2")
    assert list(source.values) == list(rebuilt.values)
    for name, value in source.values.items():
        np.testing.assert_array_equal(value, rebuilt.values[name])
    np.testing.assert_allclose(rebuilt.outputs, source.outputs, atol=1e-5)
    return source


def gpt2_hf(model) -> Callable[[Values], Pairs]:
    def norms(layer, values: Values, scope: str) -> Pairs:
        yield layer.gamma, values[f"{scope}/g"]
        yield layer.beta, values[f"{scope}/b"]

    def variables(values: Values) -> Pairs:
        inner = model.transformer
        yield inner.wte.embeddings, values["model/wte"]
        yield inner.wpe.embeddings, values["model/wpe"]
        yield from norms(inner.ln_f, values, "model/ln_f")
        for index, block in enumerate(inner.h):
            at = f"model/h{index}"
            yield from norms(block.ln_1, values, f"{at}/ln_1")
            yield from norms(block.ln_2, values, f"{at}/ln_2")
            for layer, scope in (
                (block.attn.c_attn, "attn/c_attn"),
                (block.attn.c_proj, "attn/c_proj"),
                (block.mlp.c_fc, "mlp/c_fc"),
                (block.mlp.c_proj, "mlp/c_proj"),
            ):
                yield layer.weight, values[f"{at}/{scope}/w"][0]
                yield layer.bias, values[f"{at}/{scope}/b"][None]

    return variables


def gpt2_config():
    return GPT2Config(VOCABULARY, POSITIONS, WIDTH, LAYERS, HEADS)


def gpt2_hf_model() -> Target:
    model = TFGPT2Model(gpt2_config())

    def call():
        # What TF1's model returns are logits.
        hidden = model(gpt2_ids()).last_hidden_state
        return tf.matmul(hidden, model.transformer.wte.embeddings, transpose_b=True)

    return Target({"model": model}, call, lambda values: list(gpt2_hf(model)(values)))


def gpt2_hf_lm() -> Target:
    model = TFGPT2LMHeadModel(gpt2_config())
    variables = gpt2_hf(model)
    return Target(
        {"model": model},
        lambda: model(gpt2_ids()).logits,
        lambda values: list(variables(values)),
    )


def gpt2_kerashub() -> Target:
    model = keras_hub.models.GPT2Backbone(
        vocabulary_size=VOCABULARY,
        num_layers=LAYERS,
        num_heads=HEADS,
        hidden_dim=WIDTH,
        intermediate_dim=4 * WIDTH,
        max_sequence_length=POSITIONS,
    )

    def call():
        ids = gpt2_ids()
        hidden = model({"token_ids": ids, "padding_mask": np.ones_like(ids)})
        return model.token_embedding(hidden, reverse=True)

    def weights(values: Values) -> Pairs:
        depth = WIDTH // HEADS
        yield model.token_embedding.embeddings, values["model/wte"]
        yield model.position_embedding.position_embeddings, values["model/wpe"]
        yield model.layer_norm.gamma, values["model/ln_f/g"]
        yield model.layer_norm.beta, values["model/ln_f/b"]
        for index, layer in enumerate(model.transformer_layers):
            block = {
                name.removeprefix(f"model/h{index}/"): value
                for name, value in values.items()
                if name.startswith(f"model/h{index}/")
            }
            for norm, scope in (
                (layer._self_attention_layer_norm, "ln_1"),
                (layer._feedforward_layer_norm, "ln_2"),
            ):
                yield norm.gamma, block[f"{scope}/g"]
                yield norm.beta, block[f"{scope}/b"]
            attention = layer._self_attention_layer
            kernel, bias = block["attn/c_attn/w"][0], block["attn/c_attn/b"]
            for number, dense in enumerate(
                (attention._query_dense, attention._key_dense, attention._value_dense)
            ):
                third = slice(number * WIDTH, (number + 1) * WIDTH)
                yield dense.kernel, kernel[:, third].reshape(WIDTH, HEADS, depth)
                yield dense.bias, bias[third].reshape(HEADS, depth)
            output = block["attn/c_proj/w"][0].reshape(HEADS, depth, WIDTH)
            yield attention._output_dense.kernel, output
            yield attention._output_dense.bias, block["attn/c_proj/b"]
            for dense, scope in (
                (layer._feedforward_intermediate_dense, "mlp/c_fc"),
                (layer._feedforward_output_dense, "mlp/c_proj"),
            ):
                yield dense.kernel, block[f"{scope}/w"][0]
                yield dense.bias, block[f"{scope}/b"]

    return Target({"model": model}, call, lambda values: list(weights(values)))


# Heads times their size is not the width of the model: neither is it in T5.
KEYS, INNER, BUCKETS, FARTHEST = 3, 12, 32, 128


@dataclass(frozen=True)
class T5:
    """What Mesh TensorFlow called things in the original models and in those of version 1.1."""

    gated: bool = False
    # Whether only the first block has relative attention biases, for all of them.
    shares: bool = True

    @property
    def name(self) -> str:
        return "t5-1.1" if self.gated else "t5"

    @property
    def norm(self) -> str:
        return "rms_norm" if self.gated else "layer_norm"

    @property
    def final_norm(self) -> str:
        return "rms_norm" if self.gated else "final_layer_norm"

    @property
    def inward(self) -> tuple[str, ...]:
        return ("wi_0", "wi_1") if self.gated else ("wi",)

    def encoder_ids(self) -> np.ndarray:
        return random_ids(f"{self.name} in", (2, 20), VOCABULARY)

    def decoder_ids(self) -> np.ndarray:
        return random_ids(f"{self.name} out", (2, 18), VOCABULARY)


def t5_norm(x, scope: str):
    with tf1.variable_scope(scope):
        scale = tf1.get_variable("scale", [WIDTH])
        return scale * x * tf.math.rsqrt(tf.reduce_mean(x**2, -1, keepdims=True) + 1e-6)


def dense(x, name: str, outputs: int):
    return tf.tensordot(x, tf1.get_variable(name, [x.shape[-1], outputs]), 1)


def distance_buckets(queries: int, keys: int, both_ways: bool) -> np.ndarray:
    """Near ones exactly, far ones by the logarithm of their distance."""
    distance = np.arange(queries)[:, None] - np.arange(keys)[None]
    half = BUCKETS // 2 if both_ways else BUCKETS
    # Those that come later have the upper half, if they may be seen at all.
    side = half * (distance < 0) if both_ways else 0
    distance = np.abs(distance) if both_ways else np.maximum(distance, 0)
    exact = half // 2
    far = np.log(np.maximum(distance, 1) / exact) / np.log(FARTHEST / exact)
    # Not for the sake of the formula: 16 / 8 is on the border, and floats fall to either side.
    far = exact + np.floor(far * (half - exact) + 1e-6).astype(int)
    return side + np.where(distance < exact, distance, np.minimum(far, half - 1))


def t5_attention(x, memory, bias):
    """Its scores are not scaled down: that is left to the initial values."""
    size = HEADS * KEYS
    query, key, value = (
        in_heads(dense(of, name, size)) for of, name in ((x, "q"), (memory, "k"), (memory, "v"))
    )
    weights = tf.nn.softmax(tf.einsum("bqhd,bkhd->bhqk", query, key) + bias)
    found = tf.einsum("bhqk,bkhd->bqhd", weights, value)
    return dense(tf.reshape(found, [*x.shape[:-1], size]), "o", WIDTH)


def t5_stack(kind: T5, name: str, x, encoded=None):
    decodes = encoded is not None
    length = x.shape[1]
    buckets = distance_buckets(length, length, not decodes)
    hidden = -1e9 * (1 - np.tri(length, dtype=np.float32)) if decodes else 0

    def attend(x):
        with tf1.variable_scope("SelfAttention"):
            if not (biases and kind.shares):
                table = tf1.get_variable("relative_attention_bias", [HEADS, BUCKETS])
                biases.append(tf.gather(table, buckets, axis=1) + hidden)
            return t5_attention(x, x, biases[-1])

    def attend_to_encoded(x):
        with tf1.variable_scope("EncDecAttention"):
            return t5_attention(x, encoded, 0)

    def feed_forward(x):
        with tf1.variable_scope("DenseReluDense"):
            inside = [dense(x, f"{name}/kernel", INNER) for name in kind.inward]
            inside = gelu(inside[0]) * inside[1] if kind.gated else tf.nn.relu(inside[0])
            return dense(inside, "wo/kernel", WIDTH)

    biases: list = []
    layers = [attend, attend_to_encoded, feed_forward] if decodes else [attend, feed_forward]
    with tf1.variable_scope(name):
        for block in range(LAYERS):
            for index, layer in enumerate(layers):
                with tf1.variable_scope(f"block_{block:03}/layer_{index:03}"):
                    x += layer(t5_norm(x, kind.norm))
        return t5_norm(x, kind.final_norm)


def adafactor_state() -> None:
    """What Mesh TensorFlow keeps of squares: sums of rows and columns, or all of them."""
    for variable in tf1.global_variables():
        name, shape = variable.op.name, variable.shape
        if len(shape) == 2 and not name.endswith("relative_attention_bias"):
            tf1.get_variable(f"{name}_slot_vr", shape[:1])
            tf1.get_variable(f"{name}_slot_vc", shape[1:])
        else:
            tf1.get_variable(f"{name}_slot_v", shape)
    tf1.train.create_global_step()


def t5_graph(kind: T5):
    with tf1.variable_scope("shared"):
        tokens = tf1.get_variable("embedding", [VOCABULARY, WIDTH])
    encoded = t5_stack(kind, "encoder", tf.gather(tokens, kind.encoder_ids()))
    decoded = t5_stack(kind, "decoder", tf.gather(tokens, kind.decoder_ids()), encoded)
    if kind.gated:
        with tf1.variable_scope("decoder"):
            logits = dense(decoded, "logits/kernel", VOCABULARY)
    else:
        logits = tf.matmul(decoded * WIDTH**-0.5, tokens, transpose_b=True)
    adafactor_state()
    return [encoded, decoded, logits]


ORIGINAL, GATED, BIASED = T5(), T5(gated=True), T5(shares=False)


def t5_original(folder: Path) -> Source:
    return save(lambda: t5_graph(ORIGINAL), folder, "t5")


def t5_gated(folder: Path) -> Source:
    return save(lambda: t5_graph(GATED), folder, "t5-1.1")


def t5_biased(folder: Path) -> Source:
    return save(lambda: t5_graph(BIASED), folder, "t5")


def t5_hf_stack(kind: T5, values: Values, name: str, stack) -> Pairs:
    yield stack.final_layer_norm.weight, values[f"{name}/{kind.final_norm}/scale"]
    for block_index, block in enumerate(stack.block):
        for index, layer in enumerate(block.layer):
            at = f"{name}/block_{block_index:03}/layer_{index:03}"
            yield layer.layer_norm.weight, values[f"{at}/{kind.norm}/scale"]
            if index == len(block.layer) - 1:
                for part in (*kind.inward, "wo"):
                    kernel = getattr(layer.DenseReluDense, part).kernel
                    yield kernel, values[f"{at}/DenseReluDense/{part}/kernel"]
                continue
            scope = ("SelfAttention", "EncDecAttention")[index]
            attention = getattr(layer, scope)
            for part in "qkvo":
                yield getattr(attention, part).kernel, values[f"{at}/{scope}/{part}"]
            if (block_index, index) == (0, 0):
                bias = values[f"{at}/SelfAttention/relative_attention_bias"].T
                yield attention.relative_attention_bias, bias


def t5_hf(kind: T5, model, call: Callable) -> Target:
    def weights(values: Values) -> Pairs:
        yield model.shared.embeddings, values["shared/embedding"]
        for name in ("encoder", "decoder"):
            if hasattr(model, name):
                yield from t5_hf_stack(kind, values, name, getattr(model, name))
        if hasattr(model, "lm_head"):
            yield model.lm_head.kernel, values["decoder/logits/kernel"]

    return Target({"model": model}, call, lambda values: list(weights(values)))


def t5_config(kind: T5, **options):
    sizes = {"vocab_size": VOCABULARY, "d_model": WIDTH, "d_kv": KEYS, "d_ff": INNER}
    numbers = {"num_layers": LAYERS, "num_heads": HEADS}
    feed_forward = "gated-gelu" if kind.gated else "relu"
    kinds = {"feed_forward_proj": feed_forward, "tie_word_embeddings": not kind.gated}
    return T5Config(**(sizes | numbers | kinds | options))


def t5_hf_outputs(kind: T5, model) -> list:
    found = model(input_ids=kind.encoder_ids(), decoder_input_ids=kind.decoder_ids())
    encoded = found.encoder_last_hidden_state
    if "logits" in found:
        # This class does not tell what the decoder has found otherwise.
        return [encoded, found.logits]
    return [encoded, found.last_hidden_state]


def t5_hf_model() -> Target:
    model = TFT5Model(t5_config(ORIGINAL))
    return t5_hf(ORIGINAL, model, lambda: t5_hf_outputs(ORIGINAL, model))


def t5_hf_lm(kind: T5, **options) -> Target:
    model = TFT5ForConditionalGeneration(t5_config(kind, **options))
    return t5_hf(kind, model, lambda: t5_hf_outputs(kind, model))


def t5_hf_encoder() -> Target:
    model = TFT5EncoderModel(t5_config(ORIGINAL))
    return t5_hf(ORIGINAL, model, lambda: [model(ORIGINAL.encoder_ids()).last_hidden_state])


def t5_kerashub_attention(layer, values: Values, scope: str) -> Pairs:
    yield layer.query_projector.kernel, values[f"{scope}/q"]
    yield layer.key_projector.kernel, values[f"{scope}/k"]
    yield layer.value_projector.kernel, values[f"{scope}/v"]
    yield layer.output_projector.kernel, values[f"{scope}/o"]


def t5_kerashub_stack(kind: T5, values: Values, name: str, layers: list) -> Pairs:
    for index, layer in enumerate(layers):
        at = f"{name}/block_{index:03}"
        attention = layer.self_attention
        yield layer.self_attention_layer_norm.weight, values[f"{at}/layer_000/{kind.norm}/scale"]
        yield from t5_kerashub_attention(attention, values, f"{at}/layer_000/SelfAttention")
        if index == 0:
            bias = values[f"{at}/layer_000/SelfAttention/relative_attention_bias"].T
            yield attention.relative_attention_bias, bias
        last = f"{at}/layer_001"
        if layer.is_decoder:
            last, at = f"{at}/layer_002", last
            yield layer.cross_attention_layer_norm.weight, values[f"{at}/{kind.norm}/scale"]
            yield from t5_kerashub_attention(layer.cross_attention, values, f"{at}/EncDecAttention")
        yield layer.layer_norm.weight, values[f"{last}/{kind.norm}/scale"]
        inside = f"{last}/DenseReluDense"
        yield layer.input_projector.kernel, values[f"{inside}/{kind.inward[0]}/kernel"]
        if kind.gated:
            yield layer.gate_projector.kernel, values[f"{inside}/wi_1/kernel"]
        yield layer.output_projector.kernel, values[f"{inside}/wo/kernel"]


def t5_kerashub(kind: T5, **options) -> Target:
    tanh_gelu = partial(keras.activations.gelu, approximate=True)
    sizes = {"hidden_dim": WIDTH, "intermediate_dim": INNER, "key_value_dim": KEYS}
    numbers = {"vocabulary_size": VOCABULARY, "num_layers": LAYERS, "num_heads": HEADS}
    kinds = {
        "activation": tanh_gelu if kind.gated else "relu",
        "use_gated_activation": kind.gated,
        "tie_embedding_weights": not kind.gated,
    }
    model = keras_hub.models.T5Backbone(**(sizes | numbers | kinds | options))
    embedding = model.token_embedding

    def call():
        inputs = {"encoder": kind.encoder_ids(), "decoder": kind.decoder_ids()}
        found = model(
            {f"{name}_token_ids": ids for name, ids in inputs.items()}
            | {f"{name}_padding_mask": np.ones_like(ids) for name, ids in inputs.items()}
        )
        encoded, decoded = (found[f"{name}_sequence_output"] for name in inputs)
        scaled = decoded if kind.gated else decoded * WIDTH**-0.5
        return [encoded, decoded, embedding(scaled, reverse=True)]

    def weights(values: Values) -> Pairs:
        yield embedding.embeddings, values["shared/embedding"]
        if kind.gated:
            yield embedding.reverse_embeddings, values["decoder/logits/kernel"]
        yield model.encoder_layer_norm.weight, values[f"encoder/{kind.final_norm}/scale"]
        yield model.decoder_layer_norm.weight, values[f"decoder/{kind.final_norm}/scale"]
        stacks = model.encoder_transformer_layers, model.decoder_transformer_layers
        for name, layers in zip(("encoder", "decoder"), stacks, strict=True):
            yield from t5_kerashub_stack(kind, values, name, layers)

    return Target({"model": model}, call, lambda values: list(weights(values)))


GPT2 = {"source": gpt2, "swap": ("model/h0/", "model/h1/")}
GPT2_HF = {"mapping": "gpt2-hf", "only": "2.15"}
family(**GPT2, **GPT2_HF, target="transformers TFGPT2LMHeadModel", build=gpt2_hf_lm)

SWAP = "encoder/block_000/layer_001/", "encoder/block_001/layer_001/"
T5_HF = {"mapping": "t5-hf", "only": "2.15", "swap": SWAP}
T5_KERASHUB = {"mapping": "t5-kerashub", "only": "2.21", "swap": SWAP}
LM, BACKBONE = "transformers TFT5ForConditionalGeneration", "keras_hub T5Backbone"
family(
    **T5_HF,
    target="transformers TFT5EncoderModel",
    source=t5_original,
    build=t5_hf_encoder,
    outputs=lambda found: found[:1],
)
family(
    **T5_HF,
    target=f"{LM} (v1.0)",
    source=t5_original,
    build=lambda: t5_hf_lm(ORIGINAL),
    outputs=lambda found: [found[0], found[2]],
)


@dataclass(frozen=True)
class Library:
    """The models that one environment has, and how they are told not to be gated."""

    gpt2: Family
    t5: Family
    gated: Family
    # T5 with an output layer of its own, where the old one has none.
    untied: Callable[[], Target]
    refused: tuple[str, str]

    def misfits(self) -> None:
        misfit(self.gpt2, "this is not a GPT-2 checkpoint", source=self.t5)
        misfit(self.gpt2, "the template is not a ", template=self.t5)
        misfit(self.t5, "this is not a T5 checkpoint", source=self.gpt2)
        misfit(self.t5, "the template is not a ", template=self.gpt2)
        misfit(self.t5, self.refused[0], source=self.gated)
        misfit(self.gated, self.refused[1], source=self.t5)
        untied = replace(self.t5, target="with an output layer", build=self.untied)
        misfit(self.t5, "this T5 has no output layer of its own", template=untied)
        biased = replace(self.t5, target="with biases in every block", source=t5_biased)
        misfit(self.t5, "every block of this T5 has a relative_attention_bias", source=biased)


def to_be_refused(target: Target) -> Target:
    """Nobody will ask for its values."""
    return replace(target, variables=lambda values: [])


Library(
    family(**GPT2, **GPT2_HF, target="transformers TFGPT2Model", build=gpt2_hf_model),
    family(
        **T5_HF,
        target="transformers TFT5Model",
        source=t5_original,
        build=t5_hf_model,
        outputs=lambda found: found[:2],
    ),
    family(
        **T5_HF,
        target=f"{LM} (v1.1)",
        source=t5_gated,
        build=lambda: t5_hf_lm(GATED),
        outputs=lambda found: [found[0], found[2]],
    ),
    lambda: to_be_refused(t5_hf_lm(ORIGINAL, tie_word_embeddings=False)),
    ("make it with feed_forward_proj='gated-gelu'", "make it with feed_forward_proj='relu'"),
).misfits()
Library(
    family(
        **GPT2,
        mapping="gpt2-kerashub",
        target="keras_hub GPT2Backbone",
        build=gpt2_kerashub,
        only="2.21",
    ),
    family(
        **T5_KERASHUB,
        target=f"{BACKBONE} (v1.0)",
        source=t5_original,
        build=lambda: t5_kerashub(ORIGINAL),
    ),
    family(
        **T5_KERASHUB,
        target=f"{BACKBONE} (v1.1)",
        source=t5_gated,
        build=lambda: t5_kerashub(GATED),
    ),
    lambda: to_be_refused(t5_kerashub(ORIGINAL, tie_embedding_weights=False)),
    ("make it with use_gated_activation=True", "make it with use_gated_activation=False"),
).misfits()
