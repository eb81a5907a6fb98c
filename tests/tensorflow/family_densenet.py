"""DenseNet of pudae/tensorflow-densenet, and its namesakes in `keras.applications`.

No package that pip installs has its TF1 definition. Here it is rebuilt of the layers of slim it was
made of, a sixteenth as wide. The first two blocks are shorter than those that were published, the
others are as deep: by them the mapping tells one depth from another.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf
from keras.src.applications import densenet as keras_densenet

from families import KERAS, Family, Source, Target, Values, family, misfit, narrowed, save, tf1
from family_vision import (
    ALL_CLASSES,
    CLASSES,
    FEATURES,
    FOREGROUND,
    HEAD,
    NARROWER,
    RESNET,
    Head,
    Pairs,
    flat,
    image,
    kernel,
    normalisation,
    target,
)
from flavours import FLAVOURS
from generate.slim import slim

Tensor = Any

# Of 161 was published too, of 201 not.
LAYERS = {121: (2, 3, 24, 16), 161: (2, 3, 36, 24), 169: (2, 3, 32, 32), 201: (2, 3, 48, 32)}
GROWTH, FIRST_FILTERS = 32 // NARROWER, 64 // NARROWER
# Keras's is 1.001e-5.
EPSILON = 1.1e-5
# Where TF1 halves an even size, it completes only the last windows, Keras both ends.
ODD_SIZE, EVEN_SIZE = 33, 64


def active(net: Tensor) -> Tensor:
    return tf.nn.relu(slim.batch_norm(net))


def convolved(net: Tensor, filters: int, size: int, scope: str) -> Tensor:
    """What comes before it is in its scope too."""
    with tf1.variable_scope(scope):
        return slim.conv2d(active(net), filters, size)


def blocks(net: Tensor, layers: tuple[int, ...]) -> Tensor:
    for b, count in enumerate(layers, start=1):
        with tf1.variable_scope(f"dense_block{b}"):
            for i in range(1, count + 1):
                with tf1.variable_scope(f"conv_block{i}"):
                    new = convolved(net, 4 * GROWTH, 1, "x1")
                    net = tf.concat([net, convolved(new, GROWTH, 3, "x2")], axis=3)
        if b < len(layers):
            with tf1.variable_scope(f"transition_block{b}"):
                net = slim.avg_pool2d(convolved(net, net.shape[3] // 2, 1, "blk"), 2)
    return net


def densenet_source(depth: int, size: int, folder: Path) -> Source:
    scope = f"densenet{depth}"

    def graph():
        normalised = {"is_training": False, "scale": True, "epsilon": EPSILON}
        plain = {"activation_fn": None, "biases_initializer": None}
        with (
            tf1.variable_scope(scope),
            slim.arg_scope([slim.batch_norm], **normalised),
            slim.arg_scope([slim.conv2d], **plain),
        ):
            net = slim.conv2d(image(size), FIRST_FILTERS, 7, stride=2, scope="conv1")
            net = slim.max_pool2d(active(net), 3, stride=2, padding="SAME")
            net = blocks(net, LAYERS[depth])
            with tf1.variable_scope("final_block"):
                features = tf.reduce_mean(active(net), [1, 2], keepdims=True)
            biases = tf1.zeros_initializer()
            logits = slim.conv2d(features, CLASSES, 1, biases_initializer=biases, scope="logits")
        tf1.train.create_global_step()
        return [flat(logits), flat(features)]

    return save(graph, folder, scope)


def densenet_width(width: int, name: str | None) -> int:
    """What halves the channels takes the number from what it sees, which is narrow already."""
    kept = name == HEAD or (name is not None and name.startswith("pool"))
    return width if kept else width // NARROWER


def as_in_tf1(model, size: int) -> None:
    """What the mapping's header says that it needs."""
    layers = KERAS.layers
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.epsilon = EPSILON
    if size == EVEN_SIZE:
        first, second = (one for one in model.layers if isinstance(one, layers.ZeroPadding2D))
        first.padding = ((2, 3), (2, 3))
        second.padding = ((0, 1), (0, 1))


def densenet_variables(depth: int, layer, values: Values) -> Pairs:
    """All but the head."""
    scope, layers = f"densenet{depth}", LAYERS[depth]
    # Keras 2 calls its first layers otherwise.
    first = "conv1/" if KERAS is FLAVOURS["keras2"] else "conv1_"
    pairs = kernel(layer(f"{first}conv"), values, f"{scope}/conv1")
    pairs += normalisation(layer(f"{first}bn"), values, f"{scope}/BatchNorm")

    def unit(theirs: str, norm: str, conv: str) -> Pairs:
        return [
            *normalisation(layer(norm), values, f"{scope}/{theirs}/BatchNorm"),
            *kernel(layer(conv), values, f"{scope}/{theirs}/Conv"),
        ]

    for b, count in enumerate(layers, start=1):
        for i in range(1, count + 1):
            theirs, ours = f"dense_block{b}/conv_block{i}", f"conv{b + 1}_block{i}"
            pairs += unit(f"{theirs}/x1", f"{ours}_0_bn", f"{ours}_1_conv")
            pairs += unit(f"{theirs}/x2", f"{ours}_1_bn", f"{ours}_2_conv")
    for b in range(1, len(layers)):
        ours = f"pool{b + 1}"
        pairs += unit(f"transition_block{b}/blk", f"{ours}_bn", f"{ours}_conv")
    return pairs + normalisation(layer("bn"), values, f"{scope}/final_block/BatchNorm")


def densenet_target(depth: int, size: int, head: Head) -> Target:
    with narrowed(keras_densenet, densenet_width):
        model = keras_densenet.DenseNet(
            list(LAYERS[depth]),
            weights=None,
            classifier_activation=None,
            input_shape=(size, size, 3),
            **head.options,
        )
    as_in_tf1(model, size)

    def variables(values: Values) -> Pairs:
        pairs = densenet_variables(depth, model.get_layer, values)
        return pairs + head.pairs(model, values, f"densenet{depth}/logits")

    return target(model, size, variables)


def densenet(depth: int, *heads: Head, size: int = ODD_SIZE, what: str = "") -> list[Family]:
    source = partial(densenet_source, depth, size)
    return [
        family(
            mapping="densenet-keras",
            target=f"keras.applications DenseNet{depth}{what}{head.what}",
            source=source,
            outputs=head.outputs,
            build=partial(densenet_target, depth, size, head),
            swap=("dense_block3/conv_block2/x2/", "dense_block3/conv_block3/x2/"),
            flags=head.flags(),
        )
        for head in heads
    ]


SHALLOW, *_ = densenet(121, ALL_CLASSES, FOREGROUND, FEATURES)
densenet(121, ALL_CLASSES, size=EVEN_SIZE, what=" of an even size")
DEEPER, DEEPEST = (densenet(depth, ALL_CLASSES)[0] for depth in (169, 201))
# Not registered: Keras has none to take it over.
UNKNOWN = replace(
    SHALLOW,
    target="DenseNet161",
    source=partial(densenet_source, 161, ODD_SIZE),
    build=partial(densenet_target, 161, ODD_SIZE, ALL_CLASSES),
)
misfit(SHALLOW, "the checkpoint is of DenseNet-169 or DenseNet-201", source=DEEPER)
misfit(SHALLOW, "the checkpoint is of DenseNet-121, the template of", template=DEEPER)
misfit(DEEPER, "the checkpoint is of DenseNet-201, the template of", source=DEEPEST)
misfit(DEEPER, "the checkpoint is of DenseNet-169, the template of", template=DEEPEST)
for known in (SHALLOW, DEEPER, DEEPEST):
    misfit(known, "the checkpoint is of DenseNet-161", source=UNKNOWN)
misfit(SHALLOW, "this is no DenseNet", source=RESNET[1])
misfit(SHALLOW, "the template is no DenseNet", template=RESNET[1])
