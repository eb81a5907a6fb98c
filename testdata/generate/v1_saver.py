"""Checkpoints of version 1 by TF1's Saver, which goes on writing them when told to."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from generate.models import conv3
from generate.optimizers import ADAM, Model, mlp, run
from generate.partitioned import on_devices, partitioned_variables
from generate.registry import case
from generate.tf1 import PREFIX, randomise, rng_for, save, tf1, write_expected


def saver(**options) -> tf1.train.Saver:
    return tf1.train.Saver(write_version=tf1.train.SaverDef.V1, **options)


@case("v1/conv3")
def conv(directory: Path) -> None:
    rng = rng_for("conv3")
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, (2, 6, 6, 3))
        y = conv3(x)
        randomise(session, rng)
        fed = rng.standard_normal(x.shape).astype(np.float32)
        save(session, directory / PREFIX, saver())
        write_expected(directory, session, inputs=fed, outputs=session.run(y, {x: fed}))


@case("v1/state")
def state(directory: Path) -> None:
    """Two steps, and a file that names the latest."""
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.layers.dense(tf.zeros([1, 4]), 2)
        keeping = saver(save_relative_paths=True)
        for step in (10, 20):
            randomise(session, rng_for(f"v1/state-{step}"))
            save(session, directory / PREFIX, keeping, global_step=step, write_state=True)


@case("v1/sharded")
def sharded(directory: Path) -> None:
    """A file per device; what names the latest step names it by a glob."""
    with tf.Graph().as_default(), on_devices(2) as session:
        with tf1.variable_scope("model"):
            for number in range(6):
                with tf.device(f"/cpu:{number % 2}"):
                    tf1.get_variable(f"part_{number}", [4, number + 1])
        keeping = saver(sharded=True, save_relative_paths=True)
        for step in (1, 2):
            randomise(session, rng_for(f"v1/sharded-{step}"))
            save(session, directory / PREFIX, keeping, global_step=step, write_state=True)
        write_expected(directory, session)


@case("v1/partitioned")
def partitioned(directory: Path) -> None:
    with tf.Graph().as_default(), tf1.Session() as session:
        partitioned_variables(devices=1)
        randomise(session, rng_for("v1/partitioned"))
        save(session, directory / PREFIX, saver(), write_meta_graph=True)


@case("v1/partitioned_sharded")
def partitioned_sharded(directory: Path) -> None:
    """Parts of a variable in different files."""
    with tf.Graph().as_default(), on_devices(3) as session:
        partitioned_variables(devices=3)
        randomise(session, rng_for("v1/partitioned_sharded"))
        keeping = saver(sharded=True, save_relative_paths=True)
        save(session, directory / PREFIX, keeping, write_state=True)


@case("v1/adam_partitioned_scoped")
def adam_partitioned_scoped(directory: Path) -> None:
    """Spoilt names of slots, as in `optimizers/adam_partitioned_scoped`."""
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, (8, 5))
        loss = tf.reduce_mean(run(Model((5,), mlp, parts=2), x, training=True))
        with tf1.variable_scope("opt"):
            tf1.train.AdamOptimizer(**ADAM).minimize(loss)
        randomise(session, rng_for("v1/adam_partitioned_scoped"))
        save(session, directory / PREFIX, saver())
