"""The four losses and their gradients by hand, as in torch.nn's documentation, in numpy and torch alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from workers.trainers.contract import Member
from workers.trainers.inputs.parameters import Floats, column
from workers.trainers.tensors.row_sums import row_sum

Tensor = Any
"""A numpy array or a torch tensor. Functions are looked up in the library they came from, passed as `library`."""

Pointwise = Callable[[Any, Tensor, Tensor], Tensor]

# The hyper-parameter that is the threshold between a loss's parabola and its straight line.
THRESHOLD_NAMES: Mapping[str, str] = {"smooth_l1": "beta", "huber": "delta"}


class WrittenOutLoss:
    """A pack's loss as a function of the error y_pred - y, (members, points).

    `threshold` is the members' beta or delta as a column (members, 1). Losses without one do not use it.
    """

    def __init__(self, library: Any, members: Sequence[Member], points: int, threshold: Tensor) -> None:
        name = members[0]["loss"]["name"]
        self._library = library
        self._value = VALUES[name]
        self._slope = SLOPES[name]
        self._threshold = threshold
        self.is_square = name == "mse"
        self.points = points if members[0]["loss"]["reduction"] == "mean" else None

    def __call__(self, error: Tensor) -> Tensor:
        """The loss of every member, (members,)."""
        total = row_sum(self._value(self._library, error, self._threshold))
        return total if self.points is None else total / self.points

    def slope(self, error: Tensor) -> Tensor:
        """The derivative of the loss by y_pred, (members, points)."""
        slope = self._slope(self._library, error, self._threshold)
        return slope if self.points is None else slope / self.points


def thresholds(members: Sequence[Member]) -> Floats:
    """Every member's beta or delta, (members,); ones for a loss that has none."""
    name = members[0]["loss"]["name"]
    return column(members, "loss", THRESHOLD_NAMES[name]) if name in THRESHOLD_NAMES else np.ones(len(members))


def _smooth_l1(library: Any, error: Tensor, beta: Tensor) -> Tensor:
    size = library.abs(error)
    return library.where(size < beta, 0.5 * size * size / _divisor(library, beta), size - 0.5 * beta)


def _smooth_l1_slope(library: Any, error: Tensor, beta: Tensor) -> Tensor:
    return library.where(library.abs(error) < beta, error / _divisor(library, beta), library.sign(error))


def _divisor(library: Any, beta: Tensor) -> Tensor:
    # With beta 0 the loss is l1 and the parabola is nowhere used; it must not divide by zero all the same.
    return library.where(beta > 0.0, beta, 1.0)


def _huber(library: Any, error: Tensor, delta: Tensor) -> Tensor:
    size = library.abs(error)
    return library.where(size < delta, 0.5 * size * size, delta * (size - 0.5 * delta))


def _huber_slope(library: Any, error: Tensor, delta: Tensor) -> Tensor:
    return library.where(library.abs(error) < delta, error, delta * library.sign(error))


VALUES: Mapping[str, Pointwise] = {
    "mse": lambda library, error, _: library.square(error),
    "l1": lambda library, error, _: library.abs(error),
    "smooth_l1": _smooth_l1,
    "huber": _huber,
}

SLOPES: Mapping[str, Pointwise] = {
    "mse": lambda library, error, _: 2.0 * error,
    "l1": lambda library, error, _: library.sign(error),
    "smooth_l1": _smooth_l1_slope,
    "huber": _huber_slope,
}
