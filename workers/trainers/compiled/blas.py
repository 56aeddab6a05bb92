"""Stage 1 with `execution: compiled`: forward and backward as matrix products, in buffers that are made once.

A matrix product rounds differently at every width, and on every processor, so a member's bits depend on its pack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module

import numpy as np

from workers.trainers.contract import Array, Member
from workers.trainers.inputs.datasets import numpy_rows
from workers.trainers.inputs.parameters import coefficients_of_degree, column, initial_weights
from workers.trainers.losses.written_out import WrittenOutLoss, thresholds
from workers.trainers.models.coefficients import CoefficientsTrainer
from workers.trainers.models.polynomial import powers_of
from workers.trainers.tensors.memory import LEAST_BUFFER, blocks_in_cache


class Trainer(CoefficientsTrainer):
    """Gradient descent on `weights`, (members, coefficients). `basis` is (1 or members, coefficients, points).

    The weights are a view of `with_y`, (members, coefficients + 1), whose last column is the -1 that y is weighed with.
    """

    stride = 1

    def __init__(self, members: Sequence[Member], device: str) -> None:
        dtype, degree = np.dtype(members[0]["dtype"]), members[0]["degree"]
        x, y = numpy_rows(members)
        self.width, self.coefficient_names = len(members), coefficients_of_degree(degree)
        self.basis = np.stack([np.stack(powers_of(row, degree)) for row in x])
        self.y = np.stack(y)
        initial = initial_weights(members, self.coefficient_names).T.astype(dtype)
        self.with_y = np.concatenate([initial, -np.ones_like(initial[:, :1])], axis=1)
        self.weights = self.with_y[:, :-1]
        self.rates = column(members, "learning_rate").astype(dtype)[:, np.newaxis]
        own_rows = (degree + 1 if len(x) > 1 else 0) + (1 if len(y) > 1 else 0)
        self.blocks = blocks_in_cache(self.width, (1 + own_rows) * self.y[0].nbytes)
        self.members, self.thresholds = members, thresholds(members).astype(dtype)[:, np.newaxis]

    @np.errstate(over="ignore", invalid="ignore")
    def run(self, begin: int, end: int) -> Array:
        """Do the updates `begin` to `end` - 1; the losses, (steps, members)."""
        np.setbufsize(LEAST_BUFFER)
        losses = np.empty((end - begin, self.width), self.weights.dtype)
        for block in self.blocks:
            self._run_block(block, losses[:, block])
        return losses

    def _run_block(self, block: slice, losses: Array) -> None:
        """All steps of some members, whose predictions fit into the cache; fills losses (steps, members)."""
        weights, rates = self.weights[block], self.rates[block]
        basis = self.basis[0] if len(self.basis) == 1 else self.basis[block]
        y = self.y if len(self.y) == 1 else self.y[block]
        loss = WrittenOutLoss(np, self.members, y.shape[-1], self.thresholds[block])
        error_of, gradient_of = _Error(self.with_y[block], basis, y), _Gradient(weights, basis)
        if loss.is_square:
            rates = 2.0 / (loss.points or 1) * rates
        for row in losses:
            error = error_of()
            if loss.is_square:
                np.vecdot(error, error, out=row)
                gradient = gradient_of(error)
            else:
                row[:] = loss(error)
                gradient = gradient_of(loss.slope(error))
            weights -= np.multiply(gradient, rates, out=gradient)
        if loss.is_square:
            losses /= loss.points or 1

    def state(self) -> dict[str, Array]:
        return {
            coefficient: weight.copy()
            for coefficient, weight in zip(self.coefficient_names, self.weights.T, strict=True)
        }

    def load_state(self, arrays: Mapping[str, Array]) -> None:
        self.weights[:] = np.stack([self.row(arrays, coefficient) for coefficient in self.coefficient_names], axis=1)


class _Error:
    """y_pred - y of the weights at each call, in a buffer (members, points) that every call overwrites.

    Where all members have the same data, y is one more row of the basis, and -1 its weight: one product does both.
    """

    def __init__(self, with_y: Array, basis: Array, y: Array) -> None:
        self._buffer = np.empty((len(with_y), y.shape[-1]), with_y.dtype)
        self._together = basis.ndim == 2 and len(y) == 1
        self._basis, self._y = np.concatenate([basis, y]) if self._together else basis, y
        self._weights = with_y if self._together else with_y[:, :-1]

    def __call__(self) -> Array:
        if self._together:
            return np.matmul(self._weights, self._basis, out=self._buffer)
        np.vecmat(self._weights, self._basis, out=self._buffer)
        self._buffer -= self._y
        return self._buffer


class _Gradient:
    """The gradient of the weights, (members, coefficients), until the next call.

    OpenBLAS's product of two matrices is made for AVX-512 when one is this narrow, and takes a third of the time of a
    product for each member; without AVX-512 it takes one and a half times as long.
    """

    def __init__(self, weights: Array, basis: Array) -> None:
        self._basis, self._buffer = basis, np.empty(weights.shape, weights.dtype)
        self._as_matrices = basis.ndim == 2 and has_avx512()

    def __call__(self, slope: Array) -> Array:
        """For the slope of the loss, (members, points)."""
        if self._as_matrices:
            return np.matmul(slope, self._basis.T, out=self._buffer)
        return np.matvec(self._basis, slope, out=self._buffer)


@cache
def has_avx512() -> bool:
    """Whether numpy computes with AVX-512 here. Its table of what it found has no public name."""
    features = getattr(import_module("numpy._core._multiarray_umath"), "__cpu_features__", {})
    return any(features.get(name, False) for name in ("X86_V4", "AVX512_SKX"))
