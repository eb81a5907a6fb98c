"""A model in the middle of its training, once for every optimizer that TF1 had.

Twenty steps, a checkpoint, and then the steps that TF1 would have gone on with: whoever takes over
from the checkpoint has to repeat their losses.
"""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from generate.contrib import AdaMaxOptimizer, BertAdamOptimizer, NadamOptimizer
from generate.keras_models import HIDDEN, IMAGE, INPUTS, OUTPUTS
from generate.registry import case
from generate.tf1 import LARGEST_META, PREFIX, randomise, rng_for, save, tf1, variable_values

train = tf1.train
STEPS, HALFWAY, AFTER, BATCH = 20, 30, 20, 8


def draw_floats(rng: np.random.Generator, dims: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(dims).astype(np.float32)


@dataclass(frozen=True)
class Model:
    inputs: tuple[int, ...]
    build: Callable
    # Every variable in so many parts.
    parts: int = 1
    draw: Callable = draw_floats
    largest_meta: int = LARGEST_META


def mlp(x, training):
    x = tf1.layers.dense(x, HIDDEN, activation=tf.tanh)
    x = tf1.layers.dense(x, HIDDEN, activation=tf.tanh)
    return tf1.layers.dense(x, OUTPUTS)


def cnn(x, training):
    for _ in range(2):
        x = tf1.layers.conv2d(x, 3, 3, padding="same")
        x = tf.tanh(tf1.layers.batch_normalization(x, momentum=0.9, training=training))
    return tf1.layers.dense(tf.reduce_mean(x, [1, 2]), OUTPUTS)


MLP, CNN, IN_PARTS = Model((INPUTS,), mlp), Model(IMAGE, cnn), Model((INPUTS,), mlp, parts=2)


def run(model: Model, x, training: bool):
    # Variables as TF1 made them; slots and powers are made like the variables they belong to.
    # They are randomised later on: other initializers would only make the graph larger.
    options = {"use_resource": False, "initializer": tf1.zeros_initializer()}
    if model.parts > 1:
        options["partitioner"] = tf1.fixed_size_partitioner(model.parts)
    with tf1.variable_scope("model", reuse=tf1.AUTO_REUSE, **options):
        return model.build(x, training)


def whole_values(session: tf1.Session) -> dict[str, np.ndarray]:
    """The parts of a variable joined; they were made in order."""
    parts: dict[str, list[np.ndarray]] = {}
    for name, value in variable_values(session).items():
        parts.setdefault(re.sub(r"/part_\d+", "", name), []).append(value)
    return {n: np.concatenate(vs) if len(vs) > 1 else vs[0] for n, vs in parts.items()}


def write_training(
    name: str, directory: Path, model: Model, minimize: Callable, hyperparameters: dict[str, float]
) -> None:
    """Trains, saves, and goes on; `minimize(loss)` makes a step, or several to take in turn."""
    rng = rng_for(name)
    count = STEPS + AFTER
    inputs = model.draw(rng, (count, BATCH, *model.inputs))
    targets = draw_floats(rng, (count, BATCH, OUTPUTS))
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(inputs.dtype, (BATCH, *model.inputs), name="inputs")
        y = tf1.placeholder(tf.float32, (BATCH, OUTPUTS), name="targets")
        loss = tf.reduce_mean(tf.square(run(model, x, training=True) - y), name="loss")
        randomise(session, rng)
        weights = tf1.global_variables()
        with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
            made = minimize(loss)
            steps = [tf.group(step, name="train") for step in np.atleast_1d(made)]
        session.run(tf1.variables_initializer(set(tf1.global_variables()) - set(weights)))

        def losses(start: int, stop: int) -> np.ndarray:
            feeds = ({x: inputs[at], y: targets[at]} for at in range(start, stop))
            todo = zip(itertools.cycle(steps), feeds)
            return np.array([session.run((loss, step), feed)[0] for step, feed in todo])

        losses(0, STEPS)
        save(session, directory / PREFIX, largest_meta=model.largest_meta)
        arrays = whole_values(session)
        arrays |= {f"hyperparameters/{key}": value for key, value in hyperparameters.items()}
        arrays |= {"inputs": inputs[STEPS:], "targets": targets[STEPS:]}
        # Only now, so that the graph that was saved holds the training alone.
        outputs = run(model, x, training=False)
        arrays["outputs"] = session.run(outputs, {x: inputs[STEPS]})
        first = losses(STEPS, HALFWAY)
        arrays["later_outputs"] = session.run(outputs, {x: inputs[STEPS]})
        arrays["losses"] = np.concatenate([first, losses(HALFWAY, count)])
        np.savez(directory / "expected.npz", **arrays)


def trained(name: str, model: Model = MLP, **hyperparameters: float):
    """Registers `minimize(loss)` as a case."""

    def register(minimize: Callable) -> Callable:
        @case(f"optimizers/{name}")
        def write(directory: Path) -> None:
            write_training(name, directory, model, minimize, hyperparameters)

        return minimize

    return register


def optimizer(name: str, make: Callable, model: Model = MLP, **hyperparameters: float) -> None:
    """Registers a case for an optimizer made with these arguments: none is a default."""

    @trained(name, model, **hyperparameters)
    def minimize(loss):
        return make(**hyperparameters).minimize(loss, train.get_or_create_global_step())


ADAM = {"learning_rate": 0.013, "beta1": 0.83, "beta2": 0.97}
MOMENTUM = {"learning_rate": 0.03, "momentum": 0.8}
RMSPROP = {"learning_rate": 0.011, "decay": 0.8}
CENTERED = RMSPROP | {"momentum": 0.7, "centered": True}
ADAGRAD = {"learning_rate": 0.09, "initial_accumulator_value": 0.2}
FTRL = {
    **{"learning_rate": 0.09, "learning_rate_power": -0.4, "initial_accumulator_value": 0.2},
    **{"l1_regularization_strength": 0.002, "l2_regularization_strength": 0.003},
}

optimizer("gradient_descent", train.GradientDescentOptimizer, learning_rate=0.07)
optimizer("momentum", train.MomentumOptimizer, **MOMENTUM)
optimizer("nesterov", train.MomentumOptimizer, **MOMENTUM, use_nesterov=True)
optimizer("adam", train.AdamOptimizer, **ADAM)
optimizer("rmsprop", train.RMSPropOptimizer, **RMSPROP, momentum=0.7)
optimizer("rmsprop_centered", train.RMSPropOptimizer, **CENTERED)
# So large an epsilon shows where it stands in the formula.
optimizer("rmsprop_no_momentum", train.RMSPropOptimizer, **RMSPROP, epsilon=1e-3)
optimizer("adadelta", train.AdadeltaOptimizer, learning_rate=1.7, rho=0.9, epsilon=1e-5)
optimizer("adagrad", train.AdagradOptimizer, **ADAGRAD)
# Without penalties it is Adagrad, and TF2 has a place for it.
optimizer("proximal_adagrad", train.ProximalAdagradOptimizer, **ADAGRAD)
optimizer("ftrl", train.FtrlOptimizer, **FTRL)
optimizer("nadam", NadamOptimizer, **ADAM)
optimizer("adamax", AdaMaxOptimizer, **ADAM)
optimizer("bert_adam", BertAdamOptimizer, **ADAM)
optimizer("adam_named", lambda **given: train.AdamOptimizer(**given, name="trainer"), **ADAM)
optimizer("adam_partitioned", train.AdamOptimizer, IN_PARTS, **ADAM)
optimizer("cnn_adam", train.AdamOptimizer, CNN, **ADAM)
optimizer("cnn_momentum", train.MomentumOptimizer, CNN, **MOMENTUM)
optimizer("cnn_rmsprop_centered", train.RMSPropOptimizer, CNN, **CENTERED)


@trained("adam_scoped", **ADAM)
def adam_scoped(loss):
    """The scope goes before the names of the slots, though the variables are outside of it."""
    step = train.get_or_create_global_step()
    with tf1.variable_scope("opt"):
        return train.AdamOptimizer(**ADAM).minimize(loss, step)


@trained("adam_powers", **ADAM)
def adam_powers(loss):
    """Nobody counts the steps: only the powers of beta know how many there were."""
    return train.AdamOptimizer(**ADAM).minimize(loss)


@trained("adam_partitioned_scoped", IN_PARTS, **ADAM)
def adam_partitioned_scoped(loss):
    """TensorFlow spoils the names of these slots: each part is saved as if it were the whole."""
    return adam_scoped(loss)


@trained("momentum_schedule", **(MOMENTUM | {"learning_rate": 0.015}))
def momentum_schedule(loss):
    """No constant says what the learning rate is; the next step is the first with this one."""
    step = train.get_or_create_global_step()
    rate = train.exponential_decay(0.03, step, STEPS, 0.5, staircase=True)
    return train.MomentumOptimizer(rate, MOMENTUM["momentum"]).minimize(loss, step)


HEAD = {"head_learning_rate": 0.02, "head_beta1": 0.7, "head_beta2": 0.9}


@trained("two_adams", **ADAM, **HEAD)
def two_adams(loss):
    """The head has its own optimizer, whose steps nobody counts: every other one is its."""
    step, weights = train.get_or_create_global_step(), tf1.trainable_variables()
    body, head = train.AdamOptimizer(**ADAM), train.AdamOptimizer(*HEAD.values())
    body_gradients = body.compute_gradients(loss, weights[:4])
    head_gradients = head.compute_gradients(loss, weights[4:])
    # Neither may change what the other's gradients still depend on.
    with tf.control_dependencies([gradient for gradient, _ in body_gradients + head_gradients]):
        train_body = body.apply_gradients(body_gradients, step)
        return [tf.group(train_body, head.apply_gradients(head_gradients)), train_body]


def draw_ids(rng: np.random.Generator, dims: tuple[int, ...]) -> np.ndarray:
    return rng.integers(0, 10, dims).astype(np.int32)


def embedding(ids, training):
    table = tf1.get_variable(
        "embedding", [10, 4], tf.float16, partitioner=tf1.fixed_size_partitioner(3)
    )
    found = tf.cast(tf1.nn.embedding_lookup(table, ids, partition_strategy="div"), tf.float32)
    return tf1.layers.dense(tf.reduce_mean(found, axis=1), 2)


# TF1's own epsilon is nothing in sixteen bits, and rows without a gradient would be divided by it.
HALF_ADAM = ADAM | {"epsilon": 1e-3}
HALF = Model((6,), embedding, draw=draw_ids, largest_meta=90_000)


@trained("half_embedding", HALF, **HALF_ADAM)
def half_embedding(loss):
    """A table of sixteen bits in three parts, with its slots: TensorFlow cannot read it whole."""
    step = train.get_or_create_global_step()
    return train.AdamOptimizer(**HALF_ADAM).minimize(loss, step)
