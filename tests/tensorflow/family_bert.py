"""The models that take over BERT, ALBERT and ELECTRA."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import tensorflow as tf

import bert_graphs as tf1_models
from bert_graphs import (
    EMBEDDING,
    GROUPS,
    HEADS,
    HIDDEN,
    IDS,
    INNER,
    LABELS,
    LAYERS,
    LAYERS_IN_GROUP,
    MASK,
    PASSES,
    POSITIONS,
    SEGMENT_IDS,
    SEGMENTS,
    SMALL_HIDDEN,
    SMALL_INNER,
    VOCABULARY,
    log_chances,
    written,
)
from families import Target, Values, family, misfit
from flavours import VERSION

if VERSION == "2.15":
    import transformers
    from official.nlp.modeling import networks
else:
    import keras
    from keras_hub import models as keras_hub

# A TF1 scope and the layer that takes it over, or a TF1 variable and the variable that does.
Parts = list[tuple[str, Any]]

EMBEDDINGS = ("word_embeddings", "token_type_embeddings", "position_embeddings", "LayerNorm")
BERT_LAYER = (
    "attention/self/query",
    "attention/self/key",
    "attention/self/value",
    "attention/output/dense",
    "attention/output/LayerNorm",
    "intermediate/dense",
    "output/dense",
    "output/LayerNorm",
)
ALBERT_LAYER = (
    "attention_1/self/query",
    "attention_1/self/key",
    "attention_1/self/value",
    "attention_1/output/dense",
    "LayerNorm",
    "ffn_1/intermediate/dense",
    "ffn_1/intermediate/output/dense",
    "LayerNorm_1",
)


@dataclass(frozen=True)
class Transposed:
    """A variable with the transposed value."""

    variable: Any


def under(scope: str, names: Iterable[str], parts: Iterable[Any]) -> Parts:
    return [(f"{scope}/{name}", part) for name, part in zip(names, parts, strict=True)]


def bert_layers(encoder: str, layers: Iterable[tuple]) -> Parts:
    found = (under(f"{encoder}/layer_{i}", BERT_LAYER, layer) for i, layer in enumerate(layers))
    return [*chain.from_iterable(found)]


def albert_layers(encoder: str, groups: Iterable[Iterable[tuple]]) -> Parts:
    found = (
        under(f"{encoder}/transformer/group_{i}/inner_group_{k}", ALBERT_LAYER, layer)
        for i, group in enumerate(groups)
        for k, layer in enumerate(group)
    )
    return [*chain.from_iterable(found)]


def as_it_is(_: str, value: np.ndarray) -> np.ndarray:
    return value


def in_heads(name: str, value: np.ndarray) -> np.ndarray:
    """Keras's attention has an axis for them."""
    if re.search("self/(query|key|value)/", name):
        return value.reshape(*value.shape[:-1], HEADS, -1)
    if re.search(r"attention(_1)?/output/dense/kernel$", name):
        return value.reshape(HEADS, -1, value.shape[-1])
    return value


def listed(parts: Parts, reshaped: Callable, values: Values) -> list[tuple[Any, np.ndarray]]:
    """Every variable and its value-to-be."""
    found = []
    for name, part in parts:
        if isinstance(part, Transposed):
            found.append((part.variable, values[name].T))
        elif hasattr(part, "assign"):
            found.append((part, values[name]))
        else:
            leaves = [leaf for leaf in ("kernel", "bias", "gamma", "beta") if hasattr(part, leaf)]
            names = [f"{name}/{leaf}" for leaf in leaves]
            ours = [reshaped(name, values[name]) for name in names]
            found += zip([getattr(part, leaf) for leaf in leaves], ours, strict=True)
    return found


def target(
    model: Any,
    call: Callable[[], list],
    parts: Callable[[], Parts],
    reshaped: Callable = as_it_is,
    kept: list = (),
) -> Target:
    """`parts`: asked for when the model has been called once, before which some layers have no
    variables."""
    return Target({"model": model}, call, lambda v: listed(parts(), reshaped, v), kept)


def no_heads(_: Any) -> Parts:
    return []


def both(computed: Any) -> list:
    return [computed.last_hidden_state, computed.pooler_output]


def sequence(computed: Any) -> list:
    return [computed.last_hidden_state]


def logits(computed: Any) -> list:
    return [computed.logits]


def words_and_order(computed: Any) -> list:
    words, order = computed[:2]
    return [log_chances(words), tf.nn.log_softmax(order)]


def words(computed: Any) -> list:
    return [log_chances(computed.logits)]


def hugging_face_layer(layer: Any) -> tuple:
    own, attention, output = (
        layer.attention.self_attention,
        layer.attention.dense_output,
        layer.bert_output,
    )
    return (
        *(own.query, own.key, own.value, attention.dense, attention.LayerNorm),
        *(layer.intermediate.dense, output.dense, output.LayerNorm),
    )


def hugging_face_albert_layer(layer: Any) -> tuple:
    own = layer.attention
    return (
        *(own.query, own.key, own.value, own.dense, own.LayerNorm),
        *(layer.ffn, layer.ffn_output, layer.full_layer_layer_norm),
    )


def hugging_face_embeddings(scope: str, main: Any) -> Parts:
    own = main.embeddings
    tables = own.weight, own.token_type_embeddings, own.position_embeddings, own.LayerNorm
    return under(f"{scope}/embeddings", EMBEDDINGS, tables)


def hugging_face_parts(main: Any, scope: str, embeddings: str) -> Parts:
    """BERT's, and those of both models of ELECTRA."""
    parts = hugging_face_embeddings(embeddings, main)
    if hasattr(main, "embeddings_project"):
        parts.append((f"{scope}/embeddings_project", main.embeddings_project))
    if getattr(main, "pooler", None):
        parts.append((f"{scope}/pooler/dense", main.pooler.dense))
    return parts + bert_layers(f"{scope}/encoder", map(hugging_face_layer, main.encoder.layer))


def hugging_face(kind: str, config: Any, outputs: Callable, parts: Callable) -> Target:
    sizes = {
        "vocab_size": VOCABULARY,
        "hidden_size": HIDDEN,
        "num_attention_heads": HEADS,
        "intermediate_size": INNER,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": SEGMENTS,
    }
    model = getattr(transformers, kind)(config(**sizes))

    def call() -> list:
        return outputs(model(IDS, attention_mask=MASK, token_type_ids=SEGMENT_IDS))

    return target(model, call, lambda: parts(model))


def hugging_face_bert(
    kind: str, outputs: Callable = both, heads: Callable = no_heads, labels: int = 2
) -> Target:
    def config(**sizes: int) -> Any:
        return transformers.BertConfig(
            **sizes, num_hidden_layers=LAYERS, hidden_act="gelu_new", num_labels=labels
        )

    def parts(model: Any) -> Parts:
        return hugging_face_parts(model.bert, "bert", "bert") + heads(model)

    return hugging_face(kind, config, outputs, parts)


def label_parts(name: str, layer: Any) -> Parts:
    weights = Transposed(layer.kernel)
    return [(f"{name}output_weights", weights), (f"{name}output_bias", layer.bias)]


def bert_word_head(model: Any) -> Parts:
    words = model.mlm.predictions
    return [
        ("cls/predictions/transform/dense", words.transform.dense),
        ("cls/predictions/transform/LayerNorm", words.transform.LayerNorm),
        ("cls/predictions/output_bias", words.bias),
    ]


def bert_heads(model: Any) -> Parts:
    order = label_parts("cls/seq_relationship/", model.nsp.seq_relationship)
    return bert_word_head(model) + order


def hugging_face_albert(
    kind: str,
    groups: int,
    layers_in_group: int,
    outputs: Callable = both,
    heads: Callable = no_heads,
    outer: str = "",
) -> Target:
    def config(**sizes: int) -> Any:
        return transformers.AlbertConfig(
            **sizes,
            embedding_size=EMBEDDING,
            num_hidden_layers=PASSES,
            num_hidden_groups=groups,
            inner_group_num=layers_in_group,
        )

    def parts(model: Any) -> Parts:
        main = model.albert
        encoder = f"{outer}bert/encoder"
        mapping = main.encoder.embedding_hidden_mapping_in
        layers = (
            map(hugging_face_albert_layer, group.albert_layers)
            for group in main.encoder.albert_layer_groups
        )
        return [
            *hugging_face_embeddings(f"{outer}bert", main),
            (f"{encoder}/embedding_hidden_mapping_in", mapping),
            *albert_layers(encoder, layers),
            *([(f"{outer}bert/pooler/dense", main.pooler)] if main.pooler else []),
            *heads(model),
        ]

    return hugging_face(kind, config, outputs, parts)


def albert_word_head(model: Any) -> Parts:
    words = model.predictions
    return [
        ("cls/predictions/transform/dense", words.dense),
        ("cls/predictions/transform/LayerNorm", words.LayerNorm),
        # The one that is added, and another that nothing uses.
        ("cls/predictions/output_bias", words.decoder_bias),
        ("cls/predictions/output_bias", words.bias),
    ]


def albert_heads(model: Any) -> Parts:
    order = label_parts("cls/seq_relationship/", model.sop_classifier.classifier)
    return albert_word_head(model) + order


def hugging_face_electra(
    kind: str,
    outputs: Callable,
    heads: Callable = no_heads,
    scope: str = "electra",
    **others: int,
) -> Target:
    def config(**sizes: int) -> Any:
        own = {"num_hidden_layers": LAYERS, "embedding_size": EMBEDDING} | others
        return transformers.ElectraConfig(**sizes | own)

    def parts(model: Any) -> Parts:
        return hugging_face_parts(model.electra, scope, "electra") + heads(model)

    return hugging_face(kind, config, outputs, parts)


def discriminator_heads(model: Any) -> Parts:
    own = model.discriminator_predictions
    layers = own.dense, own.dense_prediction
    return under("discriminator_predictions", ("dense", "dense_1"), layers)


def generator_heads(model: Any) -> Parts:
    own = model.generator_predictions
    parts = own.dense, own.LayerNorm, model.generator_lm_head.bias
    return under("generator_predictions", ("dense", "LayerNorm", "output_bias"), parts)


def model_garden(kind: str, layers: Callable, **others: int) -> Target:
    model = getattr(networks, kind)(
        vocab_size=VOCABULARY,
        hidden_size=HIDDEN,
        num_attention_heads=HEADS,
        max_sequence_length=POSITIONS,
        type_vocab_size=SEGMENTS,
        dict_outputs=True,
        **others,
    )

    def call() -> list:
        inputs = {"input_word_ids": IDS, "input_mask": MASK, "input_type_ids": SEGMENT_IDS}
        computed = model(inputs)
        return [computed["sequence_output"], computed["pooled_output"]]

    def parts() -> Parts:
        named = {layer.name: layer for layer in model._flatten_layers()}
        tables = (
            named["word_embeddings"].embeddings,
            named["type_embeddings"].embeddings,
            *named["position_embedding"].variables,
            named["embeddings/layer_norm"],
        )
        common = under("bert/embeddings", EMBEDDINGS, tables)
        return [*common, ("bert/pooler/dense", named["pooler_transform"]), *layers(named)]

    return target(model, call, parts, in_heads)


def model_garden_layer(layer: Any) -> tuple:
    own = layer._attention_layer
    return (
        *(own._query_dense, own._key_dense, own._value_dense, own._output_dense),
        layer._attention_layer_norm,
        *(layer._intermediate_dense, layer._output_dense, layer._output_layer_norm),
    )


def model_garden_bert(kind: str) -> Target:
    def layers(named: dict[str, Any]) -> Parts:
        ours = (named[f"transformer/layer_{i}"] for i in range(LAYERS))
        return bert_layers("bert/encoder", map(model_garden_layer, ours))

    return model_garden(kind, layers, num_layers=LAYERS, inner_dim=INNER)


def model_garden_albert() -> Target:
    def layers(named: dict[str, Any]) -> Parts:
        mapping = "bert/encoder/embedding_hidden_mapping_in", named["embedding_projection"]
        layer = model_garden_layer(named["transformer"])
        return [mapping, *albert_layers("bert/encoder", [[layer]])]

    sizes = {"num_layers": PASSES, "intermediate_size": INNER, "embedding_width": EMBEDDING}
    return model_garden("AlbertEncoder", layers, **sizes)


def keras_hub_layer(layer: Any) -> tuple:
    own = layer._self_attention_layer
    return (
        *(own._query_dense, own._key_dense, own._value_dense, own._output_dense),
        layer._self_attention_layer_norm,
        *(layer._feedforward_intermediate_dense, layer._feedforward_output_dense),
        layer._feedforward_layer_norm,
    )


def keras_hub_backbone(kind: str, **others: int) -> Any:
    return getattr(keras_hub, kind)(
        num_heads=HEADS,
        hidden_dim=HIDDEN,
        intermediate_dim=INNER,
        max_sequence_length=POSITIONS,
        num_segments=SEGMENTS,
        **others,
    )


def keras_hub_target(
    model: Any, scope: str, others: Parts, outputs: tuple[str, ...], kept: list = ()
) -> Target:
    def call() -> list:
        inputs = {"token_ids": IDS, "padding_mask": MASK, "segment_ids": SEGMENT_IDS}
        computed = model(inputs)
        return [computed[name] for name in outputs]

    tables = (
        model.token_embedding.embeddings,
        model.segment_embedding.embeddings,
        model.position_embedding.position_embeddings,
        model.embeddings_layer_norm,
    )
    parts = [*under(f"{scope}/embeddings", EMBEDDINGS, tables), *others]
    return target(model, call, lambda: parts, in_heads, kept)


def keras_hub_bert() -> Target:
    model = keras_hub_backbone("BertBackbone", vocabulary_size=VOCABULARY, num_layers=LAYERS)
    layers = bert_layers("bert/encoder", map(keras_hub_layer, model.transformer_layers))
    pooler = "bert/pooler/dense", model.pooled_dense
    return keras_hub_target(model, "bert", [*layers, pooler], ("sequence_output", "pooled_output"))


def keras_hub_albert() -> Target:
    model = keras_hub_backbone(
        "AlbertBackbone",
        vocabulary_size=VOCABULARY,
        num_layers=PASSES,
        embedding_dim=EMBEDDING,
        num_groups=GROUPS,
        num_inner_repetitions=LAYERS_IN_GROUP,
    )
    groups = (map(keras_hub_layer, group) for group in model.transformer_layers)
    others = [
        ("bert/encoder/embedding_hidden_mapping_in", model.embeddings_projection),
        *albert_layers("bert/encoder", groups),
        ("bert/pooler/dense", model.pooled_dense),
    ]
    return keras_hub_target(model, "bert", others, ("sequence_output", "pooled_output"))


def keras_hub_electra(embedding: int) -> Target:
    """Its pooler is trained with a task; ELECTRA has none."""
    model = keras_hub_backbone(
        "ElectraBackbone", vocab_size=VOCABULARY, num_layers=LAYERS, embedding_dim=embedding
    )
    for layer in model.transformer_layers:
        layer._feedforward_intermediate_dense.activation = keras.activations.gelu
    others = bert_layers("electra/encoder", map(keras_hub_layer, model.transformer_layers))
    if embedding != HIDDEN:
        others.append(("electra/embeddings_project", model.embeddings_projection))
    pooler = [model.pooled_dense.kernel, model.pooled_dense.bias]
    return keras_hub_target(model, "electra", others, ("sequence_output",), pooler)


hugging_face_family = model_garden_family = partial(family, only="2.15")
keras_hub_family = partial(family, only="2.21")

BERT_SWAP = "bert/encoder/layer_0/", "bert/encoder/layer_1/"
pretrained_bert = tf1_models.pretrained_bert("sequence", "pooled")

BERT_HF = hugging_face_family(
    mapping="bert-hf",
    target="transformers TFBertModel",
    source=pretrained_bert,
    build=partial(hugging_face_bert, "TFBertModel"),
    swap=BERT_SWAP,
)
hugging_face_family(
    mapping="bert-hf",
    target="transformers TFBertForPreTraining",
    source=tf1_models.pretrained_bert("word", "order"),
    build=partial(hugging_face_bert, "TFBertForPreTraining", words_and_order, bert_heads),
    swap=BERT_SWAP,
)
hugging_face_family(
    mapping="bert-hf",
    target="transformers TFBertForMaskedLM",
    source=tf1_models.pretrained_bert("word"),
    build=partial(hugging_face_bert, "TFBertForMaskedLM", words, bert_word_head),
    swap=BERT_SWAP,
)
hugging_face_family(
    mapping="bert-hf",
    target="transformers TFBertForSequenceClassification",
    source=written(tf1_models.bert_classifier, "label"),
    build=partial(
        hugging_face_bert,
        "TFBertForSequenceClassification",
        logits,
        lambda model: label_parts("", model.classifier),
        LABELS,
    ),
    swap=BERT_SWAP,
)
hugging_face_family(
    mapping="bert-hf",
    target="transformers TFBertForQuestionAnswering",
    source=written(tf1_models.bert_answers, "start", "end"),
    build=partial(
        hugging_face_bert,
        "TFBertForQuestionAnswering",
        lambda computed: [computed.start_logits, computed.end_logits],
        lambda model: label_parts("cls/squad/", model.qa_outputs),
    ),
    swap=BERT_SWAP,
)
BERT_MODEL_GARDEN, BERT_MODEL_GARDEN_2 = (
    model_garden_family(
        mapping="bert-model-garden",
        target=f"official.nlp {kind}",
        source=pretrained_bert,
        build=partial(model_garden_bert, kind),
        swap=BERT_SWAP,
    )
    for kind in ("BertEncoder", "BertEncoderV2")
)
BERT_KERAS_HUB = keras_hub_family(
    mapping="bert-kerashub",
    target="keras_hub BertBackbone",
    source=pretrained_bert,
    build=keras_hub_bert,
    swap=BERT_SWAP,
)

VALUE_SWAP = "self/query/", "self/value/"
GROUP_SWAP = "group_0/inner", "group_1/inner"
published_albert = written(tf1_models.published_albert, "sequence", "pooled")

ALBERT_HF = hugging_face_family(
    mapping="albert-hf",
    target="transformers TFAlbertModel",
    source=published_albert,
    build=partial(hugging_face_albert, "TFAlbertModel", 1, 1),
    swap=VALUE_SWAP,
)
hugging_face_family(
    mapping="albert-hf",
    target="transformers TFAlbertModel, from TensorFlow Hub",
    source=written(tf1_models.hub_albert, "sequence", "pooled"),
    build=partial(hugging_face_albert, "TFAlbertModel", 1, 1, outer="module/"),
    swap=VALUE_SWAP,
)
ALBERT_GROUPS_HF = hugging_face_family(
    mapping="albert-hf",
    target="transformers TFAlbertForPreTraining",
    source=written(tf1_models.pretrained_albert, "word", "order"),
    build=partial(
        hugging_face_albert,
        "TFAlbertForPreTraining",
        GROUPS,
        LAYERS_IN_GROUP,
        words_and_order,
        albert_heads,
    ),
    swap=GROUP_SWAP,
)
hugging_face_family(
    mapping="albert-hf",
    target="transformers TFAlbertForMaskedLM",
    source=written(tf1_models.pretrained_albert, "word"),
    build=partial(
        hugging_face_albert,
        "TFAlbertForMaskedLM",
        GROUPS,
        LAYERS_IN_GROUP,
        words,
        albert_word_head,
    ),
    swap=GROUP_SWAP,
)
ALBERT_MODEL_GARDEN = model_garden_family(
    mapping="albert-model-garden",
    target="official.nlp AlbertEncoder",
    source=published_albert,
    build=model_garden_albert,
    swap=VALUE_SWAP,
)
ALBERT_KERAS_HUB = keras_hub_family(
    mapping="albert-kerashub",
    target="keras_hub AlbertBackbone",
    source=written(tf1_models.pretrained_albert, "sequence", "pooled"),
    build=keras_hub_albert,
    swap=GROUP_SWAP,
)

ELECTRA_SWAP = "electra/encoder/layer_0/", "electra/encoder/layer_1/"
electra = written(tf1_models.electra, "sequence")
wide_electra = written(tf1_models.wide_electra, "sequence")

ELECTRA_HF = hugging_face_family(
    mapping="electra-hf",
    target="transformers TFElectraModel",
    source=electra,
    build=partial(hugging_face_electra, "TFElectraModel", sequence),
    swap=ELECTRA_SWAP,
)
WIDE_ELECTRA_HF = hugging_face_family(
    mapping="electra-hf",
    target="transformers TFElectraModel, no projection",
    source=wide_electra,
    build=partial(hugging_face_electra, "TFElectraModel", sequence, embedding_size=HIDDEN),
    swap=ELECTRA_SWAP,
)
hugging_face_family(
    mapping="electra-hf",
    target="transformers TFElectraForPreTraining",
    source=written(tf1_models.electra, "fake"),
    build=partial(hugging_face_electra, "TFElectraForPreTraining", logits, discriminator_heads),
    swap=ELECTRA_SWAP,
)
GENERATOR_HF = hugging_face_family(
    mapping="electra-generator-hf",
    target="transformers TFElectraForMaskedLM",
    source=written(tf1_models.electra, "word"),
    build=partial(
        hugging_face_electra,
        "TFElectraForMaskedLM",
        words,
        generator_heads,
        "generator",
        hidden_size=SMALL_HIDDEN,
        intermediate_size=SMALL_INNER,
    ),
    swap=("generator/encoder/layer_0/", "generator/encoder/layer_1/"),
)
ELECTRA_KERAS_HUB = keras_hub_family(
    mapping="electra-kerashub",
    target="keras_hub ElectraBackbone",
    source=electra,
    build=partial(keras_hub_electra, EMBEDDING),
    swap=ELECTRA_SWAP,
)
keras_hub_family(
    mapping="electra-kerashub",
    target="keras_hub ElectraBackbone, no projection",
    source=wide_electra,
    build=partial(keras_hub_electra, HIDDEN),
    swap=ELECTRA_SWAP,
)

misfit(BERT_HF, "this is ALBERT, not BERT: use builtin:albert-hf", source=ALBERT_HF)
misfit(BERT_HF, "this is ELECTRA, not BERT: use builtin:electra-hf", source=ELECTRA_HF)
misfit(BERT_HF, "the template is an ALBERT model", template=ALBERT_HF)
misfit(BERT_HF, "the template is an ELECTRA model", template=ELECTRA_HF)
for encoder in (BERT_MODEL_GARDEN, BERT_MODEL_GARDEN_2):
    misfit(BERT_HF, "use builtin:bert-model-garden", template=encoder)
    misfit(encoder, "this is ALBERT, not BERT", source=ALBERT_MODEL_GARDEN)
    misfit(encoder, "this is ELECTRA, not BERT", source=ELECTRA_HF)
    misfit(encoder, "use builtin:bert-hf", template=BERT_HF)
    misfit(encoder, "the template is an ALBERT encoder", template=ALBERT_MODEL_GARDEN)
    misfit(ALBERT_MODEL_GARDEN, "the template is a BERT encoder", template=encoder)
misfit(BERT_KERAS_HUB, "use builtin:albert-kerashub", source=ALBERT_KERAS_HUB)
misfit(BERT_KERAS_HUB, "use builtin:electra-kerashub", source=ELECTRA_KERAS_HUB)
misfit(BERT_KERAS_HUB, "the template is an AlbertBackbone", template=ALBERT_KERAS_HUB)

misfit(ALBERT_HF, "this is BERT, not ALBERT: use builtin:bert-hf", source=BERT_HF)
misfit(ALBERT_HF, "this is ELECTRA, not ALBERT: use builtin:electra-hf", source=ELECTRA_HF)
misfit(ALBERT_HF, "the template is a BERT or ELECTRA model", template=BERT_HF)
misfit(ALBERT_HF, "the template is a BERT or ELECTRA model", template=ELECTRA_HF)
misfit(ALBERT_HF, "use builtin:albert-model-garden", template=ALBERT_MODEL_GARDEN)
misfit(ALBERT_MODEL_GARDEN, "this is BERT, not ALBERT", source=BERT_MODEL_GARDEN)
misfit(ALBERT_MODEL_GARDEN, "this is ELECTRA, not ALBERT", source=ELECTRA_HF)
misfit(ALBERT_MODEL_GARDEN, "this ALBERT has several layers", source=ALBERT_GROUPS_HF)
misfit(ALBERT_MODEL_GARDEN, "use builtin:albert-hf", template=ALBERT_HF)
misfit(ALBERT_KERAS_HUB, "use builtin:bert-kerashub", source=BERT_KERAS_HUB)
misfit(ALBERT_KERAS_HUB, "use builtin:electra-kerashub", source=ELECTRA_KERAS_HUB)
misfit(ALBERT_KERAS_HUB, "a BERT or ELECTRA backbone", template=BERT_KERAS_HUB)

misfit(ELECTRA_HF, "this is BERT, not ELECTRA: use builtin:bert-hf", source=BERT_HF)
misfit(ELECTRA_HF, "this is ALBERT, not ELECTRA: use builtin:albert-hf", source=ALBERT_HF)
misfit(ELECTRA_HF, "use builtin:electra-generator-hf", template=GENERATOR_HF)
misfit(ELECTRA_HF, "the template is a BERT or ALBERT model", template=BERT_HF)
misfit(ELECTRA_HF, "the template is a BERT or ALBERT model", template=ALBERT_HF)
misfit(GENERATOR_HF, "this is BERT, not ELECTRA", source=BERT_HF)
misfit(GENERATOR_HF, "this is ALBERT, not ELECTRA", source=ALBERT_HF)
misfit(GENERATOR_HF, "this ELECTRA has no generator", source=WIDE_ELECTRA_HF)
misfit(GENERATOR_HF, "use builtin:electra-hf", template=ELECTRA_HF)
misfit(ELECTRA_KERAS_HUB, "use builtin:bert-kerashub", source=BERT_KERAS_HUB)
misfit(ELECTRA_KERAS_HUB, "use builtin:albert-kerashub", source=ALBERT_KERAS_HUB)
misfit(ELECTRA_KERAS_HUB, "the template is an AlbertBackbone", template=ALBERT_KERAS_HUB)

# Rules for targets of the other environment.
for rules, hub in (
    (BERT_HF, BERT_KERAS_HUB),
    (BERT_MODEL_GARDEN, BERT_KERAS_HUB),
    (ALBERT_HF, ALBERT_KERAS_HUB),
    (ELECTRA_HF, ELECTRA_KERAS_HUB),
):
    misfit(replace(rules, only=None), f"use builtin:{hub.mapping}", source=hub, template=hub)
    misfit(replace(hub, only=None), f"use builtin:{rules.mapping}", source=rules, template=rules)
