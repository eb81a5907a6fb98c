"""Checkpoints as training leaves them: slots, powers and steps beside the weights."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from generate.registry import case
from generate.tf1 import PREFIX, randomise, rng_for, save, tf1, write_expected

STEPS = 5


def classifier(x):
    with tf1.variable_scope("model"):
        x = tf1.layers.dense(x, 6, activation=tf.tanh)
        return tf1.layers.dense(x, 2)


def train(name: str, directory: Path, make_optimizer) -> None:
    """Trains for some steps and saves everything there is."""
    rng = rng_for(name)
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, (8, 4))
        y = classifier(x)
        step = tf1.train.get_or_create_global_step()
        randomise(session, rng)
        weights = tf1.global_variables()
        minimize = make_optimizer().minimize(tf.reduce_mean(tf.square(y - 1)), global_step=step)
        session.run(tf1.variables_initializer(set(tf1.global_variables()) - set(weights)))
        for _ in range(STEPS):
            session.run(minimize, {x: rng.standard_normal((8, 4))})
        fed = rng.standard_normal((8, 4)).astype(np.float32)
        save(session, directory / PREFIX)
        write_expected(directory, session, inputs=fed, outputs=session.run(y, {x: fed}))


@case("trained_adam")
def trained_adam(directory: Path) -> None:
    train("trained_adam", directory, lambda: tf1.train.AdamOptimizer(0.01))


@case("trained_momentum")
def trained_momentum(directory: Path) -> None:
    train("trained_momentum", directory, lambda: tf1.train.MomentumOptimizer(0.01, 0.9))


@case("state")
def state(directory: Path) -> None:
    """A directory as TF1 leaves it: two steps, and a file that names the latest."""
    with tf.Graph().as_default(), tf1.Session() as session:
        classifier(tf.zeros([1, 4]))
        saver = tf1.train.Saver(save_relative_paths=True)
        for step in (10, 20):
            randomise(session, rng_for(f"state-{step}"))
            save(session, directory / PREFIX, saver, global_step=step, write_state=True)
