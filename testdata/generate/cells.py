"""What TF1's recurrent cells are in Keras: kernel, recurrent kernel and bias, by NumPy.

From the formulas of both, and from nothing that the tool under test has. The stored fixtures and
the tests both need it.
"""

import numpy as np

Values = dict[str, np.ndarray]
Cell = list[np.ndarray]


def from_lstm(values: Values, scope: str, forget_bias: float = 1.0) -> Cell:
    """TF1 has input, candidate, forget, output; and it adds to the forget gate when it runs."""

    def gates(name: str) -> list[np.ndarray]:
        i, c, f, o = np.split(values[f"{scope}/{name}"], 4, axis=-1)
        return [i, f, c, o]

    i, f, c, o = gates("bias")
    bias = np.concatenate([i, f + np.float32(forget_bias), c, o])
    return [*rows(np.concatenate(gates("kernel"), axis=-1), len(i)), bias]


def from_gru(values: Values, scope: str) -> Cell:
    """TF1 has reset before update, and the candidate apart."""
    (of_reset, of_update), (reset, update) = gates_of_gru(values, scope)
    kernel = np.concatenate([of_update, of_reset, values[f"{scope}/candidate/kernel"]], axis=-1)
    bias = np.concatenate([update, reset, values[f"{scope}/candidate/bias"]])
    return [*rows(kernel, len(reset)), bias]


def from_basic_rnn(values: Values, scope: str) -> Cell:
    kernel, bias = values[f"{scope}/kernel"], values[f"{scope}/bias"]
    return [*rows(kernel, len(bias)), bias]


def from_cudnn_lstm(values: Values, scope: str) -> Cell:
    """As a `BasicLSTMCell` that adds nothing."""
    return from_lstm(values, scope, forget_bias=0.0)


def from_cudnn_gru(values: Values, scope: str) -> Cell:
    """The reset gate acts behind the product with the recurrent kernel, so that there are two
    biases; of those of the gates, only the sum has been saved."""
    (of_reset, of_update), (reset, update) = gates_of_gru(values, scope)
    (inner_r, outer_r), (inner_z, outer_z) = rows(of_reset, len(reset)), rows(of_update, len(reset))
    inputs, hidden = (f"{scope}/candidate/{of}_projection" for of in ("input", "hidden"))
    nothing = np.zeros_like(reset)
    return [
        np.concatenate([inner_z, inner_r, values[f"{inputs}/kernel"]], axis=-1),
        np.concatenate([outer_z, outer_r, values[f"{hidden}/kernel"]], axis=-1),
        np.stack(
            [
                np.concatenate([update, reset, values[f"{inputs}/bias"]]),
                np.concatenate([nothing, nothing, values[f"{hidden}/bias"]]),
            ]
        ),
    ]


def gates_of_gru(values: Values, scope: str) -> list[list[np.ndarray]]:
    """Kernels and biases of the reset gate and of the update gate."""
    return [np.split(values[f"{scope}/gates/{n}"], 2, axis=-1) for n in ("kernel", "bias")]


def rows(kernel: np.ndarray, units: int) -> list[np.ndarray]:
    """Those for the inputs, and those for the state."""
    return [kernel[:-units], kernel[-units:]]
