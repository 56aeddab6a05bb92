"""Stage 1 with `execution: compiled`: forward and backward as matrix products, in buffers that are made once.

A matrix product rounds differently at every width, so a member's bits depend on its pack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from workers.trainers.contract import Array, Member
from workers.trainers.inputs.datasets import numpy_rows
from workers.trainers.inputs.parameters import coefficients_of_degree, column, initial_weights
from workers.trainers.losses.written_out import WrittenOutLoss, thresholds
from workers.trainers.models.coefficients import CoefficientsTrainer
from workers.trainers.models.polynomial import powers_of

CACHE_BYTES = 2**19  # of predictions, (members, points), at a time


class Trainer(CoefficientsTrainer):
    """Gradient descent on `weights`, (members, coefficients). `basis` is (1 or members, coefficients, points)."""

    stride = 1

    def __init__(self, members: Sequence[Member], device: str) -> None:
        dtype, degree = np.dtype(members[0]["dtype"]), members[0]["degree"]
        x, y = numpy_rows(members)
        self.width, self.coefficient_names = len(members), coefficients_of_degree(degree)
        self.basis = np.stack([np.stack(powers_of(row, degree)) for row in x])
        self.y = np.stack(y)
        self.weights = np.ascontiguousarray(initial_weights(members, self.coefficient_names).T.astype(dtype))
        self.rates = column(members, "learning_rate").astype(dtype)[:, np.newaxis]
        self.members, self.thresholds = members, thresholds(members).astype(dtype)[:, np.newaxis]

    @np.errstate(over="ignore", invalid="ignore")
    def run(self, begin: int, end: int) -> Array:
        """Do the updates `begin` to `end` - 1; the losses, (steps, members)."""
        losses = np.empty((end - begin, self.width), self.weights.dtype)
        height = max(1, CACHE_BYTES // self.y[0].nbytes)
        for first in range(0, self.width, height):
            chunk = slice(first, first + height)
            self._run_chunk(chunk, losses[:, chunk])
        return losses

    def _run_chunk(self, chunk: slice, losses: Array) -> None:
        """All steps of some members, whose predictions fit into the cache; fills losses (steps, members)."""
        weights, rates = self.weights[chunk], self.rates[chunk]
        basis = self.basis[0] if len(self.basis) == 1 else self.basis[chunk]
        y = self.y if len(self.y) == 1 else self.y[chunk]
        loss = WrittenOutLoss(np, self.members, y.shape[-1], self.thresholds[chunk])
        error_of = _Error(weights, basis, y)
        for row in losses:
            error = error_of(weights)
            if loss.is_square:
                np.vecdot(error, error, out=row)
                row /= loss.points or 1
                weights -= (2.0 / (loss.points or 1) * rates) * _backward(error, basis)
            else:
                row[:] = loss(error)
                weights -= rates * _backward(loss.slope(error), basis)

    def state(self) -> dict[str, Array]:
        return {
            coefficient: weight.copy()
            for coefficient, weight in zip(self.coefficient_names, self.weights.T, strict=True)
        }

    def load_state(self, arrays: Mapping[str, Array]) -> None:
        self.weights[:] = np.stack([self.row(arrays, coefficient) for coefficient in self.coefficient_names], axis=1)


class _Error:
    """y_pred - y of weights (members, coefficients), in a buffer (members, points) that every call overwrites.

    Where all members have the same data, y is one more row of the basis, and -1 its weight: one product does both.
    """

    def __init__(self, weights: Array, basis: Array, y: Array) -> None:
        self._buffer = np.empty((len(weights), y.shape[-1]), weights.dtype)
        self._together = basis.ndim == 2 and len(y) == 1
        self._basis, self._y = np.concatenate([basis, y]) if self._together else basis, y
        self._weights = np.concatenate([weights, -np.ones_like(weights[:, :1])], axis=1)

    def __call__(self, weights: Array) -> Array:
        if self._together:
            self._weights[:, :-1] = weights
            return np.matmul(self._weights, self._basis, out=self._buffer)
        if self._basis.ndim == 2:
            np.matmul(weights, self._basis, out=self._buffer)
        else:
            np.matmul(weights[:, np.newaxis], self._basis, out=self._buffer[:, np.newaxis])
        self._buffer -= self._y
        return self._buffer


def _backward(slope: Array, basis: Array) -> Array:
    """The gradient of the weights, (members, coefficients), for the slope of the loss, (members, points)."""
    if basis.ndim == 2:
        return slope @ basis.T
    gradients: Array = np.matmul(basis, slope[..., np.newaxis])[..., 0]
    return gradients
