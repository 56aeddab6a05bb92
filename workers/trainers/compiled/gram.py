"""`execution: gram`: gradient descent on a quadratic, every step of it from statistics of the data.

X holds the powers of x, (points, coefficients). The loss is |Xw - y|^2 and its gradient 2 X'(Xw - y). In the singular
vectors of X = U S V' the weights become independent numbers: each distance z to the best fit shrinks by 1 - 2 lr s^2 at
every update. So the loss of step t is L + sum (s z)^2 (1 - 2 lr s^2)^2t, where L is the loss of the best fit. The
points are read once, whatever the number of steps. The Gram matrix X'X would lose twice as many digits: its condition
is the square of that of X.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradyard.jobs.numbers.initial_weights import DRAWS
from workers.trainers.contract import Array, Member
from workers.trainers.inputs.datasets import numpy_rows
from workers.trainers.inputs.parameters import (
    Floats,
    are_shared,
    coefficients_of_degree,
    column,
    initial_weights,
)
from workers.trainers.models.coefficients import CoefficientsTrainer

BLOCK = 2**19  # numbers of one table of factors, (members, directions, steps)
LONGEST = 4096  # steps of one table: each multiplies the rounding of the last


class Trainer(CoefficientsTrainer):
    """Holds `weights`, (members, coefficients), and `rest`, the loss of the best fit, (members,).

    In singular directions, (members or 1, directions, ...): `values` s, `rotation` V', (directions, coefficients), and
    `target` U'y / s.
    """

    stride = 1

    def __init__(self, members: Sequence[Member], device: str) -> None:
        degree, stage = members[0]["degree"], members[0]["stage"]
        self.dtype = np.dtype(members[0]["dtype"])
        self.width, self.coefficient_names = len(members), coefficients_of_degree(degree)
        x, y = numpy_rows(members) if stage == "numpy" else _torch_rows(members)
        factors = [np.linalg.svd(np.vander(row, degree + 1, increasing=True), full_matrices=False) for row in x]
        each = max(len(x), len(y))
        pairs, y = factors * (each // len(factors)), y * (each // len(y))
        self.values = np.stack([s for _, s, _ in factors])
        self.rotation = np.stack([rotation for _, _, rotation in factors])
        inside = np.stack([u.T @ row for (u, _, _), row in zip(pairs, y, strict=True)])
        outside = [row - u @ part for (u, _, _), row, part in zip(pairs, y, inside, strict=True)]
        self.rest = np.array([row @ row for row in outside])
        with np.errstate(divide="ignore", invalid="ignore"):
            self.target = np.where(self.values > 0, inside / self.values, 0.0)
        self.weights = initial_weights(members, self.coefficient_names, DRAWS.get(stage, "normal")).T
        self.scale = 1.0 / len(y[0]) if members[0]["loss"]["reduction"] == "mean" else 1.0
        rates = column(members, "learning_rate")[:, np.newaxis]
        self.shrink = 2.0 * self.scale * rates * self.values**2
        self.factors = 1.0 - self.shrink
        self.alike = len(x) == 1 and are_shared(rates)

    @np.errstate(over="ignore", invalid="ignore", under="ignore")
    def run(self, begin: int, end: int) -> Array:
        """Do the updates `begin` to `end` - 1; the losses, (steps, members)."""
        losses = np.empty((self.width, end - begin), self.dtype)
        count = max(1, BLOCK // (1 if self.alike else self.width) // max(1, self.values.shape[1]))
        count = min(count, LONGEST)
        for first in range(0, end - begin, count):
            part = losses[:, first : first + count]
            distance = np.matmul(self.rotation, self.weights[..., np.newaxis])[..., 0] - self.target
            part[:] = self._losses(distance, part.shape[1])
            moved = distance * self._shrunk(part.shape[1])
            self.weights = self.weights + np.matmul(moved[:, np.newaxis], self.rotation)[:, 0]
        return losses.T

    def _shrunk(self, steps: int) -> Floats:
        """(1 - x)^steps - 1, where each direction shrinks by x. In 1 - x a small x would be rounded away."""
        small = np.minimum(self.shrink, 0.5)
        exact: Floats = np.expm1(steps * np.log1p(-small))
        return np.where(self.shrink <= small, exact, self.factors**steps - 1.0)

    def _losses(self, distance: Floats, steps: int) -> Floats:
        """(members, steps) of distances (members, directions) to the best fit."""
        begin = (self.values * distance) ** 2
        squares = self.factors**2
        if self.alike:
            table = _powers(np.ones_like(squares[:1]), squares[:1], steps)[0]
            losses = begin @ table
        else:
            losses = _powers(begin, np.broadcast_to(squares, begin.shape), steps).sum(axis=1)
        result: Floats = self.scale * (losses + self.rest[:, np.newaxis])
        return result

    def state(self) -> dict[str, Array]:
        return {
            coefficient: weight.copy()
            for coefficient, weight in zip(self.coefficient_names, self.weights.T, strict=True)
        }

    def load_state(self, arrays: Mapping[str, Array]) -> None:
        self.weights = np.stack([self.row(arrays, coefficient) for coefficient in self.coefficient_names], axis=1)


def _powers(begin: Floats, factor: Floats, steps: int) -> Floats:
    """begin * factor^0 ... factor^(steps - 1), (members, directions, steps)."""
    table = np.empty((*begin.shape, steps))
    table[...] = factor[..., np.newaxis]
    table[..., 0] = begin
    return np.cumprod(table, axis=-1, out=table)


def _torch_rows(members: Sequence[Member]) -> tuple[list[Array], list[Array]]:
    from workers.trainers.inputs.torch_datasets import torch_rows  # stage 1 needs no torch

    x, y = torch_rows(members)
    return [row.double().numpy() for row in x], [row.double().numpy() for row in y]
