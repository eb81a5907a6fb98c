"""slim's VGG, ResNet and Inception, and their namesakes in `keras.applications`.

All are as deep as those that were published, and a sixteenth as wide.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from keras.src.applications import inception_v3 as keras_inception
from keras.src.applications import resnet as keras_resnet
from keras.src.applications import vgg16, vgg19

from families import (
    KERAS,
    Family,
    Narrow,
    Source,
    Target,
    Values,
    Width,
    family,
    misfit,
    narrowed,
    random_input,
    save,
    tf1,
)
from generate.slim import slim

# After `generate.slim`, which makes them work.
from tf_slim.layers import layers as slim_layers
from tf_slim.nets import inception_v3, resnet_v1, resnet_v2, vgg

# The first means nothing, as slim's often does.
CLASSES = 11
NARROWER = 16
HEAD = "predictions"
NORMALISATION = ("gamma", "beta", "moving_mean", "moving_variance")

Pairs = list[tuple[Any, np.ndarray]]


def image(size: int) -> np.ndarray:
    return random_input(f"image of {size}", 2, size, size, 3)


def flat(tensor):
    """slim's heads are convolutions that see one pixel."""
    return tf1.reshape(tensor, [tensor.shape[0], -1])


def mean_rgb(scope: str) -> None:
    """What was subtracted from the images: beside the weights in some of the published files."""
    tf1.get_variable(f"{scope}/mean_rgb", [3])


@dataclass(frozen=True)
class Head:
    """What a target has on top; slim has all of them."""

    what: str
    # For Keras.
    options: dict[str, Any]
    # Of the logits and what they are computed from.
    outputs: Callable[[list[np.ndarray]], np.ndarray]
    # The first class there is, if there are classes.
    first: int | None = None

    def pairs(self, model, values: Values, scope: str) -> Pairs:
        if self.first is None:
            return []
        return dense(model.get_layer(HEAD), values, scope, self.first)

    def flags(self) -> tuple[str, ...]:
        return ("--set", f"first_class={self.first}") if self.first else ()


ALL_CLASSES = Head("", {"classes": CLASSES}, lambda both: both[0], 0)
FOREGROUND = Head(
    " without the background class", {"classes": CLASSES - 1}, lambda both: both[0][:, 1:], 1
)
FEATURES = Head(" for features", {"include_top": False, "pooling": "avg"}, lambda both: both[1])


def kernel(layer, values: Values, scope: str) -> Pairs:
    return [(layer.kernel, values[f"{scope}/weights"])]


def convolution(layer, values: Values, scope: str) -> Pairs:
    return [*kernel(layer, values, scope), (layer.bias, values[f"{scope}/biases"])]


def normalisation(layer, values: Values, scope: str, leaves=NORMALISATION) -> Pairs:
    return [(getattr(layer, leaf), values[f"{scope}/{leaf}"]) for leaf in leaves]


def dense(layer, values: Values, scope: str, first: int = 0) -> Pairs:
    """Of what was a convolution, without the classes before `first`."""
    weights, biases = values[f"{scope}/weights"], values[f"{scope}/biases"]
    units = weights.shape[-1]
    return [
        (layer.kernel, weights.reshape(-1, units)[:, first:]),
        (layer.bias, biases[first:]),
    ]


def target(model, size: int, variables: Callable[[Values], Pairs]) -> Target:
    return Target({"model": model}, lambda: model(image(size), training=False), variables)


# VGG


VGG_CONVOLUTIONS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
# At which its first dense layer sees 7 by 7 pixels.
VGG_SIZE = 224


@contextmanager
def narrow_slim(width: Width) -> Iterator[None]:
    """Where slim's nets have no argument for that."""
    layers = slim_layers.convolutional_layers
    with mock.patch.object(slim_layers, "convolutional_layers", Narrow(layers, width)):
        yield


def vgg_width(width: int, name: str | None) -> int:
    is_head = name is not None and name.endswith((HEAD, "fc8"))
    return width if is_head else width // NARROWER


def vgg_source(depth: int, folder: Path) -> Source:
    def graph():
        net = getattr(vgg, f"vgg_{depth}")
        with slim.arg_scope(vgg.vgg_arg_scope()), narrow_slim(vgg_width):
            logits, _ = net(image(VGG_SIZE), CLASSES, is_training=False)
        mean_rgb(f"vgg_{depth}")
        return logits

    return save(graph, folder, f"vgg {depth}")


def vgg_target(depth: int) -> Target:
    module = {16: vgg16, 19: vgg19}[depth]
    with narrowed(module, vgg_width):
        build = getattr(module, f"VGG{depth}")
        model = build(weights=None, classes=CLASSES, classifier_activation=None)

    def variables(values: Values) -> Pairs:
        layer, scope = model.get_layer, f"vgg_{depth}"
        pairs = []
        for block, count in enumerate(VGG_CONVOLUTIONS[depth], 1):
            for i in range(1, count + 1):
                convolved = layer(f"block{block}_conv{i}")
                pairs += convolution(convolved, values, f"{scope}/conv{block}/conv{block}_{i}")
        for theirs, ours in {"fc6": "fc1", "fc7": "fc2", "fc8": HEAD}.items():
            pairs += dense(layer(ours), values, f"{scope}/{theirs}")
        return pairs

    return target(model, VGG_SIZE, variables)


VGG = {
    depth: family(
        mapping="vgg-keras",
        target=f"keras.applications VGG{depth}",
        source=partial(vgg_source, depth),
        build=partial(vgg_target, depth),
        swap=("conv3/conv3_2/", "conv3/conv3_3/"),
    )
    for depth in VGG_CONVOLUTIONS
}
misfit(VGG[16], "the checkpoint is of VGG-19, the template of VGG16", source=VGG[19])
misfit(VGG[16], "the checkpoint is of VGG-16, the template of VGG19", template=VGG[19])


# ResNet


UNITS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
# Of the first pooling's windows, TF1 completes those at both ends of an odd size, as Keras does;
# of an even size only the last, where Keras completes the first.
ODD_SIZE, EVEN_SIZE = 33, 64


def resnet_source(version: int, depth: int, size: int, folder: Path) -> Source:
    module = {1: resnet_v1, 2: resnet_v2}[version]
    scope = f"resnet_v{version}_{depth}"
    block = getattr(module, f"resnet_v{version}_block")

    def narrow(name: str, base_depth: int, **options):
        return block(name, base_depth // NARROWER, **options)

    def graph():
        arguments = module.resnet_arg_scope()
        with slim.arg_scope(arguments), mock.patch.object(module, block.__name__, narrow):
            logits, _ = getattr(module, scope)(image(size), CLASSES, is_training=False)
            features = logits.graph.get_tensor_by_name(f"{scope}/pool5:0")
        mean_rgb(scope)
        return [flat(logits), flat(features)]

    return save(graph, folder, scope)


def resnet_width(width: int, name: str | None) -> int:
    """slim's blocks are narrowed, what comes before them is not."""
    return width if name in ("conv1_conv", HEAD) else width // NARROWER


def resnet_model(version: int, depth: int, **options):
    name = f"ResNet{depth}" + ("V2" if version == 2 else "")
    with narrowed(keras_resnet, resnet_width):
        build = getattr(KERAS.applications, name)
        return build(weights=None, classifier_activation=None, **options)


def pooled_as_in_tf1(model):
    """The same model, but its first pooling ignores what is beyond the image: Keras lets it see
    zeros there, which are larger than what is negative."""

    def clone(layer):
        config = layer.get_config()
        if layer.name == "pool1_pad":
            config["padding"] = (0, 0)
        if layer.name == "pool1_pool":
            config["padding"] = "same"
        return type(layer).from_config(config)

    return KERAS.models.clone_model(model, clone_function=clone)


def v1_unit(layer, values: Values, scope: str, ours: str, shortcut: bool) -> Pairs:
    """The convolutions of Keras have biases, which slim has not."""
    scopes = {1: "conv1", 2: "conv2", 3: "conv3"} | ({0: "shortcut"} if shortcut else {})
    pairs = []
    for i, theirs in scopes.items():
        pairs += v1_convolution(layer, values, f"{scope}/bottleneck_v1/{theirs}", f"{ours}_{i}")
    return pairs


def v1_convolution(layer, values: Values, scope: str, ours: str) -> Pairs:
    convolved = layer(f"{ours}_conv")
    bias = np.zeros(values[f"{scope}/weights"].shape[-1], np.float32)
    return [
        *kernel(convolved, values, scope),
        (convolved.bias, bias),
        *normalisation(layer(f"{ours}_bn"), values, f"{scope}/BatchNorm"),
    ]


def v2_unit(layer, values: Values, scope: str, ours: str, shortcut: bool) -> Pairs:
    scope = f"{scope}/bottleneck_v2"
    pairs = normalisation(layer(f"{ours}_preact_bn"), values, f"{scope}/preact")
    for i in (1, 2):
        pairs += kernel(layer(f"{ours}_{i}_conv"), values, f"{scope}/conv{i}")
        pairs += normalisation(layer(f"{ours}_{i}_bn"), values, f"{scope}/conv{i}/BatchNorm")
    pairs += convolution(layer(f"{ours}_3_conv"), values, f"{scope}/conv3")
    if shortcut:
        pairs += convolution(layer(f"{ours}_0_conv"), values, f"{scope}/shortcut")
    return pairs


def resnet_variables(version: int, depth: int, layer, values: Values) -> Pairs:
    """All but the head."""
    scope = f"resnet_v{version}_{depth}"
    if version == 1:
        unit, pairs = v1_unit, v1_convolution(layer, values, f"{scope}/conv1", "conv1")
    else:
        unit, pairs = v2_unit, convolution(layer("conv1_conv"), values, f"{scope}/conv1")
        pairs += normalisation(layer("post_bn"), values, f"{scope}/postnorm")
    for block, count in enumerate(UNITS[depth], 1):
        for i in range(1, count + 1):
            theirs, ours = f"{scope}/block{block}/unit_{i}", f"conv{block + 1}_block{i}"
            pairs += unit(layer, values, theirs, ours, shortcut=i == 1)
    return pairs


def resnet_target(version: int, depth: int, size: int, head: Head) -> Target:
    model = resnet_model(version, depth, input_shape=(size, size, 3), **head.options)
    # Otherwise nothing is negative, and the same windows are completed.
    if version == 2 or size == EVEN_SIZE:
        model = pooled_as_in_tf1(model)

    def variables(values: Values) -> Pairs:
        pairs = resnet_variables(version, depth, model.get_layer, values)
        return pairs + head.pairs(model, values, f"resnet_v{version}_{depth}/logits")

    return target(model, size, variables)


def resnet(
    version: int, depth: int, *heads: Head, size: int = ODD_SIZE, what: str = ""
) -> list[Family]:
    name = f"ResNet{depth}" + ("V2" if version == 2 else "")
    source = partial(resnet_source, version, depth, size)
    return [
        family(
            mapping=f"resnet-v{version}-keras",
            target=f"keras.applications {name}{what}{head.what}",
            source=source,
            outputs=head.outputs,
            build=partial(resnet_target, version, depth, size, head),
            swap=("block2/unit_2/", "block2/unit_3/"),
            flags=head.flags(),
        )
        for head in heads
    ]


RESNET = {}
for version in (1, 2):
    shallow, *_ = resnet(version, 50, ALL_CLASSES, FOREGROUND, FEATURES)
    deeper, deepest = (resnet(version, depth, ALL_CLASSES)[0] for depth in (101, 152))
    misfit(shallow, "the checkpoint is of ResNet-101 or ResNet-152", source=deeper)
    misfit(shallow, "the checkpoint is of ResNet-50, the template of", template=deepest)
    misfit(deeper, "the checkpoint is of ResNet-152, the template of", source=deepest)
    misfit(deeper, "the checkpoint is of ResNet-101, the template of", template=deepest)
    RESNET[version] = shallow
resnet(1, 50, ALL_CLASSES, size=EVEN_SIZE, what=" of an even size")
misfit(RESNET[1], "this is slim ResNet v2, not v1", source=RESNET[2])
misfit(RESNET[2], "this is slim ResNet v1, not v2", source=RESNET[1])
misfit(RESNET[1], "the template is a ResNet V2", template=RESNET[2])
misfit(RESNET[2], "the template is no ResNet V2", template=RESNET[1])


# Inception


# The smallest at which there is room for slim's auxiliary head.
INCEPTION_SIZE = 107
SMALLEST_DEPTH = 4

# In the order in which Keras makes the layers, branch by branch.
INCEPTION_STEM = "Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3 Conv2d_3b_1x1 Conv2d_4a_3x3"
POOLED = "Conv2d_0b_1x1"
MIXED_5 = [
    "Conv2d_0a_1x1",
    "Conv2d_0a_1x1 Conv2d_0b_5x5",
    "Conv2d_0a_1x1 Conv2d_0b_3x3 Conv2d_0c_3x3",
    POOLED,
]
MIXED_6 = [
    "Conv2d_0a_1x1",
    "Conv2d_0a_1x1 Conv2d_0b_1x7 Conv2d_0c_7x1",
    "Conv2d_0a_1x1 Conv2d_0b_7x1 Conv2d_0c_1x7 Conv2d_0d_7x1 Conv2d_0e_1x7",
    POOLED,
]
MIXED_7 = "Conv2d_0a_1x1 Conv2d_0b_3x3 Conv2d_0c_1x3 Conv2d_0d_3x1"
INCEPTION_BRANCHES = {
    "Mixed_5b": MIXED_5,
    # Names that are as they are.
    "Mixed_5c": [MIXED_5[0], "Conv2d_0b_1x1 Conv_1_0c_5x5", *MIXED_5[2:]],
    "Mixed_5d": MIXED_5,
    "Mixed_6a": ["Conv2d_1a_1x1", "Conv2d_0a_1x1 Conv2d_0b_3x3 Conv2d_1a_1x1"],
    "Mixed_6b": MIXED_6,
    "Mixed_6c": MIXED_6,
    "Mixed_6d": MIXED_6,
    "Mixed_6e": MIXED_6,
    "Mixed_7a": [
        "Conv2d_0a_1x1 Conv2d_1a_3x3",
        "Conv2d_0a_1x1 Conv2d_0b_1x7 Conv2d_0c_7x1 Conv2d_1a_3x3",
    ],
    "Mixed_7b": ["Conv2d_0a_1x1", "Conv2d_0a_1x1 Conv2d_0b_1x3 Conv2d_0b_3x1", MIXED_7, POOLED],
    "Mixed_7c": ["Conv2d_0a_1x1", "Conv2d_0a_1x1 Conv2d_0b_1x3 Conv2d_0c_3x1", MIXED_7, POOLED],
}


def inception_scopes() -> list[str]:
    mixed = [
        f"{block}/Branch_{number}/{convolved}"
        for block, branches in INCEPTION_BRANCHES.items()
        for number, branch in enumerate(branches)
        for convolved in branch.split()
    ]
    return [f"InceptionV3/{scope}" for scope in [*INCEPTION_STEM.split(), *mixed]]


def inception_source(folder: Path) -> Source:
    def graph():
        with slim.arg_scope(inception_v3.inception_v3_arg_scope()):
            logits, ends = inception_v3.inception_v3(
                image(INCEPTION_SIZE),
                CLASSES,
                is_training=False,
                depth_multiplier=1 / NARROWER,
                min_depth=SMALLEST_DEPTH,
            )
        tf1.train.create_global_step()
        return [logits, flat(ends["PreLogits"])]

    return save(graph, folder, "inception v3")


def inception_width(width: int, name: str | None) -> int:
    return width if name == HEAD else max(width // NARROWER, SMALLEST_DEPTH)


def in_order_of_creation(model, kind: type) -> list:
    """By the numbers in their names, of which the first may have none."""
    layers = [layer for layer in model.layers if isinstance(layer, kind)]
    return sorted(layers, key=lambda layer: int(re.search(r"(?:_(\d+))?$", layer.name)[1] or 0))


def inception_target(head: Head) -> Target:
    with narrowed(keras_inception, inception_width):
        model = keras_inception.InceptionV3(
            weights=None,
            classifier_activation=None,
            input_shape=(INCEPTION_SIZE, INCEPTION_SIZE, 3),
            **head.options,
        )

    def variables(values: Values) -> Pairs:
        convolved = in_order_of_creation(model, KERAS.layers.Conv2D)
        normalised = in_order_of_creation(model, KERAS.layers.BatchNormalization)
        pairs = []
        for scope, one, other in zip(inception_scopes(), convolved, normalised, strict=True):
            pairs += kernel(one, values, scope)
            # There is no factor on either side.
            pairs += normalisation(other, values, f"{scope}/BatchNorm", NORMALISATION[1:])
        return pairs + head.pairs(model, values, "InceptionV3/Logits/Conv2d_1c_1x1")

    return target(model, INCEPTION_SIZE, variables)


INCEPTION, *_ = (
    family(
        mapping="inception-v3-keras",
        target=f"keras.applications InceptionV3{head.what}",
        source=inception_source,
        outputs=head.outputs,
        build=partial(inception_target, head),
        swap=("Mixed_6c/Branch_0/", "Mixed_6d/Branch_0/"),
        flags=head.flags(),
    )
    for head in (ALL_CLASSES, FOREGROUND, FEATURES)
)
misfit(INCEPTION, "this is no slim Inception v3", source=VGG[16])
misfit(INCEPTION, "the template is no InceptionV3", template=VGG[16])
