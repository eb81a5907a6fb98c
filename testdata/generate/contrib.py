"""Optimizers of TF1's contrib and of BERT, which TF2 does not have, from their formulas.

Nadam is Adam with the momentum of the next step (Dozat 2016), without the schedule that Keras adds
to it; AdaMax is section 7.1 of the paper on Adam. Both go through the operations that contrib used,
so that the graph beside the checkpoint names them; slots have contrib's names. For variables as TF1
made them: no resources.
"""

import tensorflow as tf

from generate.tf1 import tf1


class NadamOptimizer(tf1.train.AdamOptimizer):
    """Slots and powers are Adam's, even the default name is: only the step differs."""

    def _apply_dense(self, gradient, variable):
        beta1_power, beta2_power = self._get_beta_accumulators()
        return tf.raw_ops.ApplyAdam(
            var=variable,
            m=self.get_slot(variable, "m"),
            v=self.get_slot(variable, "v"),
            beta1_power=beta1_power,
            beta2_power=beta2_power,
            lr=self._lr_t,
            beta1=self._beta1_t,
            beta2=self._beta2_t,
            epsilon=self._epsilon_t,
            grad=gradient,
            use_nesterov=True,
        ).op


class AdaMaxOptimizer(tf1.train.AdamOptimizer):
    """The second slot is an infinity norm, which needs no correction and so no second power."""

    def __init__(self, *arguments, name="AdaMax", **more):
        super().__init__(*arguments, name=name, **more)

    def _create_slots(self, variables):
        first = min(variables, key=lambda variable: variable.name)
        self._create_non_slot_variable(self._beta1, "beta1_power", first)
        for variable in variables:
            for slot in ("m", "v"):
                self._zeros_slot(variable, slot, self._name)

    def _power(self):
        return self._get_non_slot_variable("beta1_power", graph=tf1.get_default_graph())

    def _apply_dense(self, gradient, variable):
        return tf.raw_ops.ApplyAdaMax(
            var=variable,
            m=self.get_slot(variable, "m"),
            v=self.get_slot(variable, "v"),
            beta1_power=self._power(),
            lr=self._lr_t,
            beta1=self._beta1_t,
            beta2=self._beta2_t,
            epsilon=self._epsilon_t,
            grad=gradient,
        ).op

    def _finish(self, updates, name):
        with tf.control_dependencies(updates):
            power = self._power()
            return tf.group(*updates, power.assign(power * self._beta1_t), name=name)


class BertAdamOptimizer(tf1.train.Optimizer):
    """Adam without correction of the bias, and so without powers; its slots are variables."""

    def __init__(self, learning_rate: float, beta1: float, beta2: float):
        super().__init__(use_locking=False, name="AdamWeightDecayOptimizer")
        self.rate, self.beta1, self.beta2 = learning_rate, beta1, beta2

    def apply_gradients(self, gradients, global_step, name=None):
        updates = [global_step.assign_add(1)]
        for gradient, variable in gradients:

            def moment(slot: str, last=variable):
                options = {"initializer": tf1.zeros_initializer(), "use_resource": False}
                name = f"{last.op.name}/{slot}"
                return tf1.get_variable(name, last.shape, trainable=False, **options)

            m, v = moment("adam_m"), moment("adam_v")
            next_m = self.beta1 * m + (1 - self.beta1) * gradient
            next_v = self.beta2 * v + (1 - self.beta2) * tf.square(gradient)
            step = self.rate * next_m / (tf.sqrt(next_v) + 1e-6)
            updates += [variable.assign_sub(step), m.assign(next_m), v.assign(next_v)]
        return tf.group(*updates, name=name)
