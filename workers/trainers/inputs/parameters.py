"""From member dicts to arrays: hyper-parameters as columns, initial weights by coefficient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gradyard.jobs.numbers.initial_weights import initial_weights as drawn_or_given
from workers.trainers.contract import Member, MemberError

COEFFICIENTS = "abcdefghij"
Floats = npt.NDArray[np.float64]


def coefficients_of_degree(degree: int) -> tuple[str, ...]:
    """The coefficients of a polynomial, the constant first: degree 3 has a, b, c, d."""
    return tuple(COEFFICIENTS[: degree + 1])


def column(members: Sequence[Member], *path: str) -> Floats:
    """One number of every member in float64, shape (members,); `path` leads to it: "optimizer", "alpha"."""
    values = []
    for member in members:
        value = member
        for key in path:
            value = value[key]
        values.append(float(value))  # type: ignore[arg-type]
    return np.array(values, dtype=np.float64)


def are_shared(values: Floats) -> bool:
    """Whether all members have the same number."""
    return bool((values == values[0]).all())


def initial_weights(members: Sequence[Member], coefficient_names: Sequence[str], default: str = "normal") -> Floats:
    """The weights before step 0 in float64, shape (coefficients, members).

    `default` is what `"init": "default"` means to the stage: "normal", or "linear" for torch.nn.Linear's draw, uniform
    over +-1 / sqrt(inputs). Raises MemberError for an object that lacks a coefficient.
    """
    rows = [_initial_weights_of(index, member, coefficient_names, default) for index, member in enumerate(members)]
    return np.array(rows).T


def _initial_weights_of(index: int, member: Member, coefficient_names: Sequence[str], default: str) -> Floats:
    try:
        return drawn_or_given(member["init"], member["seed"], coefficient_names, default)
    except KeyError as missing:
        raise MemberError(index, f"init gives no value for {missing.args[0]}") from None
