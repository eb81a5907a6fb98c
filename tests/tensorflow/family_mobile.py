"""MobileNet v1 and v2, Inception-ResNet v2 and EfficientNet.

No package that pip installs has their TF1 definitions. Here they are rebuilt: all but
Inception-ResNet of the layers they were made of, which name the variables as they did then.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from families import (
    KERAS,
    Source,
    Target,
    Values,
    family,
    misfit,
    narrowed,
    random_input,
    random_value,
    save,
    tf1,
)
from family_vision import ALL_CLASSES, CLASSES, FEATURES, FOREGROUND, INCEPTION, Head
from flavours import FLAVOURS, tf1_layers
from generate.slim import slim

KERAS2 = FLAVOURS["keras2"]
EPSILON = 1e-3
AVERAGE = "/ExponentialMovingAverage"

Tensor = Any
Pairs = list[tuple[Any, np.ndarray]]


def of_averages(name: str, shape: tuple, dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    """What is the average of a scale is itself one."""
    return random_value(name.removesuffix(AVERAGE), shape, dtype, rng)


def saved_with_averages(
    graph: Callable[[], list[Tensor]], averaged: Callable[[], list], folder: Path, seed: str
) -> Source:
    """As training left it: raw values and averages. What is computed is what TF1 evaluated, which
    is the averages, restored into the variables they are of."""

    def training() -> list[Tensor]:
        outputs = graph()
        tf1.train.ExponentialMovingAverage(0.999).apply(averaged())
        return outputs

    source = save(training, folder, seed, of_averages)
    with tf1.Graph().as_default(), tf1.Session() as session:
        outputs = graph()
        names = tf1.train.ExponentialMovingAverage(0.999).variables_to_restore(averaged())
        tf1.train.Saver(names).restore(session, source.prefix)
        return replace(source, outputs=session.run(outputs))


def average(values: Values, name: str) -> np.ndarray:
    """The average, where there is one."""
    return values.get(name + AVERAGE, values[name])


def pairs(layer: Any, *values: np.ndarray) -> Pairs:
    return list(zip(layer.weights, values, strict=True))


def moments_and_scale(values: Values, scope: str) -> list[np.ndarray]:
    """In Keras's order."""
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    return [average(values, f"{scope}/{name}") for name in names]


def of_the_head(model: Any, head: Head, layer: str, kernel: np.ndarray, bias: np.ndarray) -> Pairs:
    """Of the classes that the target has, if it has any."""
    if head.first is None:
        return []
    return pairs(model.get_layer(layer), kernel[..., head.first :], bias[head.first :])


def target(
    make: Callable, images: np.ndarray, head: Head, values: Callable[..., Pairs], **options
) -> Target:
    shape = images.shape[1:]
    options |= {"weights": None, "classifier_activation": None, **head.options}
    model = make(input_shape=shape, **options)
    return Target(
        {"model": model},
        lambda: model(images, training=False),
        partial(values, model, head),
    )


# --- MobileNet ---


def mobilenet_scope():
    """What slim's `arg_scope`s say of the layers of a MobileNet that is not being trained."""
    normalized = {"is_training": False, "center": True, "scale": True, "epsilon": EPSILON}
    return slim.arg_scope(
        [slim.conv2d, slim.separable_conv2d],
        activation_fn=tf.nn.relu6,
        normalizer_fn=slim.batch_norm,
        normalizer_params=normalized,
    )


def slim_head(net: Tensor) -> list[Tensor]:
    """Of both MobileNets, and what it sees."""
    with tf1.variable_scope("Logits"):
        features = tf.reduce_mean(net, [1, 2], keepdims=True)
        logits = slim.conv2d(
            features, CLASSES, 1, activation_fn=None, normalizer_fn=None, scope="Conv2d_1c_1x1"
        )
        return [tf.squeeze(logits, [1, 2]), tf.squeeze(features, [1, 2])]


def depthwise(net: Tensor, stride: int, scope: str) -> Tensor:
    return slim.separable_conv2d(net, None, 3, depth_multiplier=1, stride=stride, scope=scope)


IMAGES = random_input("mobilenet", 2, 64, 64, 3)
V1_ALPHA, V2_ALPHA = 0.25, 0.35
V1_LAYERS = [
    *((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512), (1, 512), (1, 512)),
    *((1, 512), (1, 512), (1, 512), (2, 1024), (1, 1024)),
]


def mobilenet_v1() -> list[Tensor]:
    with tf1.variable_scope("MobilenetV1"), mobilenet_scope():
        net = slim.conv2d(tf.constant(IMAGES), int(32 * V1_ALPHA), 3, stride=2, scope="Conv2d_0")
        for i, (stride, filters) in enumerate(V1_LAYERS, start=1):
            net = depthwise(net, stride, f"Conv2d_{i}_depthwise")
            net = slim.conv2d(net, int(filters * V1_ALPHA), 1, scope=f"Conv2d_{i}_pointwise")
        return slim_head(net)


def mobilenet_v1_values(model: Any, head: Head, values: Values) -> Pairs:
    def read(scope: str, weights: str, conv: str) -> Pairs:
        scope = f"MobilenetV1/{scope}"
        kernel, normalized = model.get_layer(conv), model.get_layer(f"{conv}_bn")
        return [
            *pairs(kernel, average(values, f"{scope}/{weights}")),
            *pairs(normalized, *moments_and_scale(values, f"{scope}/BatchNorm")),
        ]

    found = read("Conv2d_0", "weights", "conv1")
    for i in range(1, 14):
        found += read(f"Conv2d_{i}_depthwise", "depthwise_weights", f"conv_dw_{i}")
        found += read(f"Conv2d_{i}_pointwise", "weights", f"conv_pw_{i}")
    scope = "MobilenetV1/Logits/Conv2d_1c_1x1"
    kernel, bias = average(values, f"{scope}/weights"), average(values, f"{scope}/biases")
    return found + of_the_head(model, head, "conv_preds", kernel, bias)


def mobilenet_v1_source(folder: Path) -> Source:
    return saved_with_averages(mobilenet_v1, tf1.trainable_variables, folder, "mobilenet_v1")


def mobilenet_v1_target(head: Head) -> Target:
    make = KERAS.applications.MobileNet
    return target(make, IMAGES, head, mobilenet_v1_values, alpha=V1_ALPHA)


V1, _ = (
    family(
        mapping="mobilenet-v1-keras",
        target=f"keras.applications MobileNet{head.what}",
        source=mobilenet_v1_source,
        build=partial(mobilenet_v1_target, head),
        swap=("/Conv2d_8_", "/Conv2d_9_"),
        flags=head.flags(),
        outputs=head.outputs,
    )
    for head in (FOREGROUND, FEATURES)
)

V2_BLOCKS = [
    *((1, 16), (2, 24), (1, 24), (2, 32), (1, 32), (1, 32), (2, 64), (1, 64), (1, 64), (1, 64)),
    *((1, 96), (1, 96), (1, 96), (2, 160), (1, 160), (1, 160), (1, 320)),
]


def divisible(filters: float, divisor: int = 8) -> int:
    """Rounded, but not down by more than a tenth."""
    rounded = max(divisor, int(filters + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * filters else rounded


def mobilenet_v2() -> list[Tensor]:
    with tf1.variable_scope("MobilenetV2"), mobilenet_scope():
        net = slim.conv2d(tf.constant(IMAGES), divisible(32 * V2_ALPHA), 3, stride=2, scope="Conv")
        for i, (stride, filters) in enumerate(V2_BLOCKS):
            with tf1.variable_scope(f"expanded_conv_{i}" if i else "expanded_conv"):
                block = net
                if i:
                    block = slim.conv2d(block, 6 * net.shape[-1], 1, scope="expand")
                block = depthwise(block, stride, "depthwise")
                block = slim.conv2d(
                    block, divisible(filters * V2_ALPHA), 1, activation_fn=None, scope="project"
                )
                net = net + block if stride == 1 and net.shape[-1] == block.shape[-1] else block
        net = slim.conv2d(net, 1280, 1, scope="Conv_1")
        return slim_head(net)


def mobilenet_v2_values(model: Any, head: Head, values: Values) -> Pairs:
    def read(scope: str, weights: str, conv: str, normalized: str) -> Pairs:
        scope = f"MobilenetV2/{scope}"
        return [
            *pairs(model.get_layer(conv), average(values, f"{scope}/{weights}")),
            *pairs(model.get_layer(normalized), *moments_and_scale(values, f"{scope}/BatchNorm")),
        ]

    found = read("Conv", "weights", "Conv1", "bn_Conv1")
    for i in range(17):
        scope, layer = (f"expanded_conv_{i}", f"block_{i}") if i else ("expanded_conv",) * 2
        for part in ("expand", "depthwise", "project")[0 if i else 1 :]:
            weights = "depthwise_weights" if part == "depthwise" else "weights"
            found += read(f"{scope}/{part}", weights, f"{layer}_{part}", f"{layer}_{part}_BN")
    found += read("Conv_1", "weights", "Conv_1", "Conv_1_bn")
    scope = "MobilenetV2/Logits/Conv2d_1c_1x1"
    kernel, bias = average(values, f"{scope}/weights"), average(values, f"{scope}/biases")
    return found + of_the_head(model, head, "predictions", kernel[0, 0], bias)


def mobilenet_v2_source(folder: Path) -> Source:
    """Without averages."""
    return save(mobilenet_v2, folder, "mobilenet_v2")


def mobilenet_v2_target(head: Head) -> Target:
    make = KERAS.applications.MobileNetV2
    return target(make, IMAGES, head, mobilenet_v2_values, alpha=V2_ALPHA)


V2, _ = (
    family(
        mapping="mobilenet-v2-keras",
        target=f"keras.applications MobileNetV2{head.what}",
        source=mobilenet_v2_source,
        build=partial(mobilenet_v2_target, head),
        swap=("/expanded_conv_7/", "/expanded_conv_8/"),
        flags=head.flags(),
        outputs=head.outputs,
    )
    for head in (ALL_CLASSES, FEATURES)
)
misfit(V1, "this is MobileNet v2: use builtin:mobilenet-v2-keras", source=V2)
misfit(V1, "the template is no MobileNet of keras.applications", template=V2)
misfit(V2, "this is MobileNet v1: use builtin:mobilenet-v1-keras", source=V1)
misfit(V2, "the template is no MobileNetV2 of keras.applications", template=V1)

# --- Inception-ResNet v2 ---

# A name, the filters and the kernel, of one convolution after the other.
Branch = list[tuple[str, int, int | tuple[int, int]]]

PHOTOS = random_input("inception_resnet_v2", 2, 107, 107, 3)
# So much narrower than the published model.
NARROWER = 8
# Beside those that halve the image.
UNPADDED = ("Conv2d_2a_3x3", "Conv2d_4a_3x3")

BLOCK_35: list[Branch] = [
    [("Conv2d_1x1", 32, 1)],
    [("Conv2d_0a_1x1", 32, 1), ("Conv2d_0b_3x3", 32, 3)],
    [("Conv2d_0a_1x1", 32, 1), ("Conv2d_0b_3x3", 48, 3), ("Conv2d_0c_3x3", 64, 3)],
]
BLOCK_17: list[Branch] = [
    [("Conv2d_1x1", 192, 1)],
    [("Conv2d_0a_1x1", 128, 1), ("Conv2d_0b_1x7", 160, (1, 7)), ("Conv2d_0c_7x1", 192, (7, 1))],
]
BLOCK_8: list[Branch] = [
    [("Conv2d_1x1", 192, 1)],
    [("Conv2d_0a_1x1", 192, 1), ("Conv2d_0b_1x3", 224, (1, 3)), ("Conv2d_0c_3x1", 256, (3, 1))],
]
MIXED_5B: list[Branch] = [
    [("Conv2d_1x1", 96, 1)],
    [("Conv2d_0a_1x1", 48, 1), ("Conv2d_0b_5x5", 64, 5)],
    [("Conv2d_0a_1x1", 64, 1), ("Conv2d_0b_3x3", 96, 3), ("Conv2d_0c_3x3", 96, 3)],
    [("Conv2d_0b_1x1", 64, 1)],
]
# Those called `1a_3x3` halve the image, as does a pool beside them.
MIXED_6A: list[Branch] = [
    [("Conv2d_1a_3x3", 384, 3)],
    [("Conv2d_0a_1x1", 256, 1), ("Conv2d_0b_3x3", 256, 3), ("Conv2d_1a_3x3", 384, 3)],
]
MIXED_7A: list[Branch] = [
    [("Conv2d_0a_1x1", 256, 1), ("Conv2d_1a_3x3", 384, 3)],
    [("Conv2d_0a_1x1", 256, 1), ("Conv2d_1a_3x3", 288, 3)],
    [("Conv2d_0a_1x1", 256, 1), ("Conv2d_0b_3x3", 288, 3), ("Conv2d_1a_3x3", 320, 3)],
]
# Scope, how many times, branches, scale.
REPEATED = [
    ("Repeat/block35", 10, BLOCK_35, 0.17),
    ("Repeat_1/block17", 20, BLOCK_17, 0.10),
    ("Repeat_2/block8", 9, BLOCK_8, 0.20),
]


def scoped(net: Tensor, scope: str, filters: int, kernel: Any, normalized: bool = True) -> Tensor:
    """A layer of slim's. With the original, two hundred of which each look through all variables
    there are, the graph would take half a minute."""
    halves = scope.endswith("1a_3x3")
    shrinks = halves or scope in UNPADDED
    height, width = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    with tf1.variable_scope(scope):
        weights = tf1.get_variable("weights", [height, width, net.shape[-1], filters])
        stride, padding = 2 if halves else 1, "VALID" if shrinks else "SAME"
        net = tf.nn.conv2d(net, weights, stride, padding)
        if not normalized:
            return net + tf1.get_variable("biases", [filters])
        with tf1.variable_scope("BatchNorm"):
            beta = tf1.get_variable("beta", [filters])
            mean = tf1.get_variable("moving_mean", [filters], trainable=False)
            variance = tf1.get_variable("moving_variance", [filters], trainable=False)
        return tf.nn.relu(tf.nn.batch_normalization(net, mean, variance, beta, None, EPSILON))


def convolution(net: Tensor, scope: str, filters: int, kernel: Any) -> Tensor:
    return scoped(net, scope, filters // NARROWER, kernel)


def fully_connected(net: Tensor) -> Tensor:
    with tf1.variable_scope("Logits"):
        weights = tf1.get_variable("weights", [net.shape[-1], CLASSES])
        return net @ weights + tf1.get_variable("biases", [CLASSES])


def branches(net: Tensor, those: list[Branch], *others: Tensor) -> Tensor:
    ends = []
    for i, branch in enumerate(those):
        with tf1.variable_scope(f"Branch_{i}"):
            end = net
            if branch[0][0] == "Conv2d_0b_1x1":
                end = tf.nn.avg_pool2d(end, 3, 1, "SAME")
            for layer in branch:
                end = convolution(end, *layer)
            ends.append(end)
    return tf.concat([*ends, *others], axis=3)


def residual(net: Tensor, those: list[Branch], scale: float, scope: str) -> Tensor:
    with tf1.variable_scope(scope):
        up = scoped(branches(net, those), "Conv2d_1x1", net.shape[-1], 1, normalized=False)
        return net + scale * up


def reduction(net: Tensor, those: list[Branch], scope: str) -> Tensor:
    with tf1.variable_scope(scope):
        return branches(net, those, tf.nn.max_pool2d(net, 3, 2, "VALID"))


def auxiliary_head(net: Tensor) -> None:
    with tf1.variable_scope("AuxLogits"):
        net = tf.nn.avg_pool2d(net, 5, 3, "VALID")
        net = convolution(net, "Conv2d_1b_1x1", 128, 1)
        net = convolution(net, "Conv2d_2a_5x5", 768, 5)
        fully_connected(tf.reshape(net, [len(PHOTOS), -1]))


def inception_resnet_v2() -> list[Tensor]:
    with tf1.variable_scope("InceptionResnetV2"):
        net = convolution(tf.constant(PHOTOS), "Conv2d_1a_3x3", 32, 3)
        net = convolution(net, "Conv2d_2a_3x3", 32, 3)
        net = convolution(net, "Conv2d_2b_3x3", 64, 3)
        net = tf.nn.max_pool2d(net, 3, 2, "VALID")
        net = convolution(net, "Conv2d_3b_1x1", 80, 1)
        net = convolution(net, "Conv2d_4a_3x3", 192, 3)
        net = tf.nn.max_pool2d(net, 3, 2, "VALID")
        with tf1.variable_scope("Mixed_5b"):
            net = branches(net, MIXED_5B)
        for scope, times, those, scale in REPEATED:
            for i in range(times):
                net = tf.nn.relu(residual(net, those, scale, f"{scope}_{i + 1}"))
            if scope == "Repeat/block35":
                net = reduction(net, MIXED_6A, "Mixed_6a")
            if scope == "Repeat_1/block17":
                auxiliary_head(net)
                net = reduction(net, MIXED_7A, "Mixed_7a")
        net = residual(net, BLOCK_8, 1.0, "Block8")
        net = convolution(net, "Conv2d_7b_1x1", 1536, 1)
        with tf1.variable_scope("Logits"):
            features = tf.reduce_mean(net, [1, 2])
            return [fully_connected(features), features]


def in_order_of_construction() -> list[str]:
    """The scopes of what Keras does not name."""

    def within(scope: str, those: list[Branch]) -> list[str]:
        return [f"{scope}/Branch_{i}/{name}" for i, b in enumerate(those) for name, _, _ in b]

    scopes = [f"Conv2d_{name}" for name in ("1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3")]
    scopes += within("Mixed_5b", MIXED_5B)
    reductions = [("Mixed_6a", MIXED_6A), ("Mixed_7a", MIXED_7A), ("Block8", BLOCK_8)]
    for (scope, times, those, _), last in zip(REPEATED, reductions, strict=True):
        for i in range(times):
            scopes += within(f"{scope}_{i + 1}", those)
        scopes += within(*last)
    return scopes


def inception_resnet_v2_values(model: Any, head: Head, values: Values) -> Pairs:
    def value(name: str) -> np.ndarray:
        return values[f"InceptionResnetV2/{name}"]

    def moments(scope: str) -> list[np.ndarray]:
        """Nothing is scaled."""
        names = ("beta", "moving_mean", "moving_variance")
        return [value(f"{scope}/BatchNorm/{name}") for name in names]

    def unnamed(kind: str) -> list:
        """By the number that Keras counts up."""
        numbered = [(re.fullmatch(rf"{kind}(?:_(\d+))?", n.name), n) for n in model.layers]
        found = {int(number[1] or 0): layer for number, layer in numbered if number}
        return [found[number] for number in sorted(found)]

    scopes = in_order_of_construction()
    found = []
    for scope, layer in zip(scopes, unnamed("conv2d"), strict=True):
        found += pairs(layer, value(f"{scope}/weights"))
    for scope, layer in zip(scopes, unnamed("batch_normalization"), strict=True):
        found += pairs(layer, *moments(scope))
    blocks = [f"{scope}_{i + 1}" for scope, times, _, _ in REPEATED for i in range(times)]
    for scope in [*blocks, "Block8"]:
        name = "block8_10" if scope == "Block8" else scope.rpartition("/")[2]
        up = (value(f"{scope}/Conv2d_1x1/{leaf}") for leaf in ("weights", "biases"))
        found += pairs(model.get_layer(f"{name}_conv"), *up)
    found += pairs(model.get_layer("conv_7b"), value("Conv2d_7b_1x1/weights"))
    found += pairs(model.get_layer("conv_7b_bn"), *moments("Conv2d_7b_1x1"))
    kernel, bias = value("Logits/Logits/weights"), value("Logits/Logits/biases")
    return found + of_the_head(model, head, "predictions", kernel, bias)


def inception_resnet_v2_source(folder: Path) -> Source:
    return save(inception_resnet_v2, folder, "inception_resnet_v2")


def inception_resnet_v2_target(head: Head) -> Target:
    def width(number: int, name: str | None) -> int:
        """The last convolution of a block has as many filters as the block's input."""
        given = name == "predictions" or (name or "").startswith("block")
        return number if given else number // NARROWER

    # As in a program that has made other layers before.
    KERAS.layers.Conv2D(1, 1), KERAS.layers.BatchNormalization()
    make = KERAS.applications.InceptionResNetV2
    with narrowed(sys.modules[make.__module__], width):
        return target(make, PHOTOS, head, inception_resnet_v2_values)


INCEPTION_RESNET = family(
    mapping="inception-resnet-v2-keras",
    target=f"keras.applications InceptionResNetV2{FOREGROUND.what}",
    source=inception_resnet_v2_source,
    build=partial(inception_resnet_v2_target, FOREGROUND),
    swap=("/block17_3/", "/block17_4/"),
    flags=FOREGROUND.flags(),
    outputs=FOREGROUND.outputs,
)

misfit(INCEPTION_RESNET, "this is no slim Inception-ResNet v2", source=INCEPTION)
misfit(INCEPTION_RESNET, "the template is no InceptionResNetV2", template=INCEPTION)
misfit(INCEPTION, "the template is InceptionResNetV2", template=INCEPTION_RESNET)

# --- EfficientNet ---

PICTURES = random_input("efficientnet", 2, 60, 60, 3)
WIDTH = 0.25
EFFICIENTNET = "efficientnet-b0"


class TpuBatchNormalization(tf1_layers.BatchNormalization):
    """Its name is what matters."""


class DepthwiseConv2D(KERAS2.layers.DepthwiseConv2D, tf1_layers.Layer):
    """TF1 had none, so one was made of Keras's and called by its name."""


@dataclass(frozen=True)
class Stage:
    """The stride is the first block's."""

    kernel: int
    filters: int
    expansion: int
    stride: int


STAGES = [
    Stage(3, 16, 1, 1),
    Stage(3, 24, 6, 2),
    Stage(5, 40, 6, 2),
    Stage(3, 80, 6, 2),
    Stage(5, 112, 6, 1),
    Stage(5, 192, 6, 2),
    Stage(3, 320, 6, 1),
]
# How many blocks there are in each: in B0, and in something that begins like its larger siblings,
# where more than one block does not expand.
B0 = (1, 2, 2, 3, 3, 4, 1)
DEEP_AT_FIRST = (2, 1, 1, 1, 1, 3, 1)


def efficient_convolution(net: Tensor, filters: int, kernel: int = 1, stride: int = 1, **how):
    how = {"padding": "same", "use_bias": False, **how}
    return tf1_layers.Conv2D(filters, kernel, stride, **how)(net)


def normalized(net: Tensor) -> Tensor:
    return TpuBatchNormalization(epsilon=EPSILON)(net, training=False)


def squeezed_and_excited(net: Tensor, reduced: int) -> Tensor:
    with tf1.variable_scope("se"):
        excitation = tf.reduce_mean(net, [1, 2], keepdims=True)
        excitation = tf.nn.swish(efficient_convolution(excitation, reduced, use_bias=True))
        excitation = efficient_convolution(excitation, net.shape[-1], use_bias=True)
        return net * tf.sigmoid(excitation)


def inverted_bottleneck(net: Tensor, stage: Stage, filters: int, stride: int) -> Tensor:
    entering, block = net.shape[-1], net
    if stage.expansion > 1:
        block = tf.nn.swish(normalized(efficient_convolution(block, stage.expansion * entering)))
    layer = DepthwiseConv2D(stage.kernel, stride, padding="same", use_bias=False)
    block = tf.nn.swish(normalized(layer(block)))
    block = squeezed_and_excited(block, max(1, entering // 4))
    block = normalized(efficient_convolution(block, filters))
    return net + block if stride == 1 and entering == filters else block


def efficientnet(depths: tuple) -> list[Tensor]:
    with tf1.variable_scope(EFFICIENTNET):
        with tf1.variable_scope("stem"):
            net = tf.constant(PICTURES)
            net = normalized(efficient_convolution(net, divisible(32 * WIDTH), 3, 2))
            net = tf.nn.swish(net)
        number = count()
        for stage, depth in zip(STAGES, depths, strict=True):
            for i in range(depth):
                with tf1.variable_scope(f"blocks_{next(number)}"):
                    stride = 1 if i else stage.stride
                    net = inverted_bottleneck(net, stage, divisible(stage.filters * WIDTH), stride)
        with tf1.variable_scope("head"):
            net = normalized(efficient_convolution(net, divisible(1280 * WIDTH)))
            features = tf.reduce_mean(tf.nn.swish(net), [1, 2])
            return [tf1_layers.Dense(CLASSES)(features), features]


def efficientnet_values(depths: tuple, model: Any, head: Head, values: Values) -> Pairs:
    def read(layer: str, scope: str, *leaves: str) -> Pairs:
        own = (average(values, f"{EFFICIENTNET}/{scope}/{leaf}") for leaf in leaves)
        return pairs(model.get_layer(layer), *own)

    def normalization(layer: str, scope: str) -> Pairs:
        of = moments_and_scale(values, f"{EFFICIENTNET}/{scope}")
        return pairs(model.get_layer(layer), *of)

    found = read("stem_conv", "stem/conv2d", "kernel")
    found += normalization("stem_bn", "stem/tpu_batch_normalization")
    number = count()
    for at, (stage, depth) in enumerate(zip(STAGES, depths, strict=True), start=1):
        for letter in "abcd"[:depth]:
            scope, block = f"blocks_{next(number)}", f"block{at}{letter}"
            expands = stage.expansion > 1
            convolutions = ["expand_conv", "project_conv"][0 if expands else 1 :]
            normalizations = ["expand_bn", "bn", "project_bn"][0 if expands else 1 :]
            for i, layer in enumerate(convolutions):
                found += read(f"{block}_{layer}", f"{scope}/{nth('conv2d', i)}", "kernel")
            for i, layer in enumerate(normalizations):
                within = f"{scope}/{nth('tpu_batch_normalization', i)}"
                found += normalization(f"{block}_{layer}", within)
            found += read(f"{block}_dwconv", f"{scope}/depthwise_conv2d", "depthwise_kernel")
            for i, layer in enumerate(("se_reduce", "se_expand")):
                within = f"{scope}/se/{nth('conv2d', i)}"
                found += read(f"{block}_{layer}", within, "kernel", "bias")
    found += read("top_conv", "head/conv2d", "kernel")
    found += normalization("top_bn", "head/tpu_batch_normalization")
    dense = f"{EFFICIENTNET}/head/dense"
    kernel, bias = average(values, f"{dense}/kernel"), average(values, f"{dense}/bias")
    return found + of_the_head(model, head, "predictions", kernel, bias)


def nth(name: str, number: int) -> str:
    """As TF1 counted."""
    return f"{name}_{number}" if number else name


def efficientnet_averaged() -> list:
    """The averages are of moving means and variances as well."""
    kept_up = [v for v in tf1.global_variables() if "/moving_" in v.op.name]
    return [*tf1.trainable_variables(), *kept_up]


def efficientnet_target(depths: tuple, head: Head) -> Target:
    module = sys.modules[KERAS.applications.EfficientNetB0.__module__]
    stages = [
        stage | {"repeats": depth}
        for stage, depth in zip(module.DEFAULT_BLOCKS_ARGS, depths, strict=True)
    ]
    made = target(
        # What B0 to B7 call with their coefficients.
        module.EfficientNet,
        # Its first layer divides.
        255 * PICTURES,
        head,
        partial(efficientnet_values, depths),
        width_coefficient=WIDTH,
        depth_coefficient=1.0,
        default_size=224,
        blocks_args=stages,
    )
    # Statistics of inputs, which TF1 did not keep in the model.
    layers = made.objects["model"].layers
    statistics = [layer for layer in layers if layer.name.startswith("normalization")]
    return replace(made, kept=[v for layer in statistics for v in layer.weights])


def b0_source(folder: Path) -> Source:
    return saved_with_averages(partial(efficientnet, B0), efficientnet_averaged, folder, "b0")


def deep_at_first_source(folder: Path) -> Source:
    """Without averages."""
    return save(partial(efficientnet, DEEP_AT_FIRST), folder, "deep_at_first")


EFFICIENTNET_B0 = family(
    mapping="efficientnet-keras",
    target="keras.applications EfficientNetB0",
    source=b0_source,
    build=partial(efficientnet_target, B0, ALL_CLASSES),
    swap=("/blocks_13/", "/blocks_14/"),
    outputs=ALL_CLASSES.outputs,
)

DEEPER = family(
    mapping="efficientnet-keras",
    target=f"keras.applications EfficientNet, other depths,{FEATURES.what}",
    source=deep_at_first_source,
    build=partial(efficientnet_target, DEEP_AT_FIRST, FEATURES),
    swap=("/blocks_7/", "/blocks_8/"),
    outputs=FEATURES.outputs,
)

misfit(EFFICIENTNET_B0, "a single block in the checkpoint (B0), and more", template=DEEPER)
misfit(EFFICIENTNET_B0, "a single block in the template (B0), and more", source=DEEPER)
misfit(EFFICIENTNET_B0, "this is no EfficientNet of tensorflow/tpu", source=V2)
misfit(EFFICIENTNET_B0, "the template is no EfficientNet of keras", template=V2)
