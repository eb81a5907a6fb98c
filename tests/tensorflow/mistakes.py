"""Mappings that are wrong on purpose: what converters get wrong, and the checks must not miss."""

import itertools
from collections.abc import Callable

import numpy as np

from optimizers import Case
from training import Values

Mistake = Callable[[Values], None]


def exchange(values: Values, partner: Callable[[str], str | None]) -> None:
    """Gives each variable what belongs to its partner, and the other way round."""
    for one in values:
        other = partner(one)
        if other is not None:
            values[one][0].assign(values[other][1])
            values[other][0].assign(values[one][1])


def swap_slots(first: str, second: str) -> Mistake:
    def partner(label: str) -> str | None:
        folder, _, leaf = label.rpartition("/")
        return f"{folder}/{second}" if leaf == first else None

    return lambda values: exchange(values, partner)


def swap_layers(first: str, second: str) -> Mistake:
    """Two layers of the same shape, with all that belongs to them."""

    def partner(label: str) -> str | None:
        return label.replace(first, second) if label.startswith(first) else None

    return lambda values: exchange(values, partner)


def swap_slots_of_layers(first: str, second: str) -> Mistake:
    """The weights are right; the state of the optimizer is listed in another order."""

    def partner(label: str) -> str | None:
        is_slot = label.startswith(first) and label.count("/") == 3
        return label.replace(first, second) if is_slot else None

    return lambda values: exchange(values, partner)


def forget_steps(values: Values) -> None:
    values["iterations"][0].assign(0)


def copy_unconverted(rate: float) -> Mistake:
    def copy(values: Values) -> None:
        for label, (variable, value, _) in values.items():
            if label.endswith("/momentum"):
                variable.assign(value / np.float32(-rate))

    return copy


def mistakes(case: Case) -> dict[str, Mistake]:
    """Those that can be made in this case."""
    slots, layers = list(case.kind.slots.values()), case.equal_layers
    possible = {"two layers of equal shape swapped": swap_layers(*layers)}
    if slots:
        possible["slots of two layers swapped"] = swap_slots_of_layers(*layers)
    for first, second in itertools.pairwise(slots):
        possible[f"{first} and {second} swapped"] = swap_slots(first, second)
    if case.kind.convert:
        possible["momentum not scaled"] = copy_unconverted(
            case.truth.hyperparameters["learning_rate"]
        )
    if case.kind.counts:
        possible["iteration left at 0"] = forget_steps
    return possible
