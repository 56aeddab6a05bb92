"""Stage 1, `numpy`: the polynomial with its gradient worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from workers.trainers.contract import Array, Losses, Member
from workers.trainers.inputs.datasets import numpy_rows
from workers.trainers.inputs.parameters import coefficients_of_degree, column, initial_weights
from workers.trainers.losses.squared_error import SquaredError
from workers.trainers.losses.written_out import WrittenOutLoss, thresholds
from workers.trainers.models.coefficients import CoefficientsTrainer
from workers.trainers.models.polynomial import powers_of, stacked_gradients, stacked_polynomial
from workers.trainers.tensors.memory import cache_aligned, keep_freed_memory


class Trainer(CoefficientsTrainer):
    """Gradient descent on `weights`, (coefficients, members, 1), with data of (members or 1, points).

    The coefficients are the first axis, so the tutorial's four grad_ lines are one line here, and its four updates too.
    """

    def __init__(self, members: Sequence[Member], device: str) -> None:
        keep_freed_memory()
        dtype = np.dtype(members[0]["dtype"])
        degree = members[0]["degree"]
        x, y = numpy_rows(members)
        self.width = len(members)
        self.coefficient_names = coefficients_of_degree(degree)
        self.basis = cache_aligned(np.stack([powers_of(row, degree) for row in x], axis=1))
        self.y = cache_aligned(np.stack(y))
        self.weights = initial_weights(members, self.coefficient_names).astype(dtype)[..., np.newaxis]
        self.learning_rate = column(members, "learning_rate").astype(dtype)[:, np.newaxis]
        self.loss = WrittenOutLoss(np, members, self.y.shape[-1], thresholds(members).astype(dtype)[:, np.newaxis])

        # A pack's arrays are large: a workspace saves new memory at every step. numpy broadcasts slowly.
        has_workspace = self.width > 1 and degree > 0 and self.loss.is_square
        self.squared_error = self._squared_error() if has_workspace else None

    def _squared_error(self) -> SquaredError:
        size = self.width, self.y.shape[-1]
        basis = cache_aligned(np.broadcast_to(self.basis, (len(self.coefficient_names), *size)))
        workspace = cache_aligned(np.empty((2, *size), self.y.dtype))
        return SquaredError(np, self.weights, basis, self.y, workspace, self.loss.points)

    # A diverging member must not fill the log of the others.
    @np.errstate(over="ignore", invalid="ignore")
    def step(self, t: int) -> Losses:
        if self.squared_error is not None:
            loss, grads = self.squared_error()
            self.weights -= self.learning_rate * grads
            return loss
        # forward
        y_pred = stacked_polynomial(self.weights, self.basis)
        error = y_pred - self.y
        loss = self.loss(error)
        # backward
        grad_y_pred = self.loss.slope(error)
        grads = stacked_gradients(np, grad_y_pred, self.basis)
        # update
        self.weights -= self.learning_rate * grads
        return loss

    def state(self) -> dict[str, Array]:
        return {
            coefficient: weight[:, 0].copy()
            for coefficient, weight in zip(self.coefficient_names, self.weights, strict=True)
        }

    def load_state(self, arrays: Mapping[str, Array]) -> None:
        self.weights[..., 0] = [self.row(arrays, coefficient) for coefficient in self.coefficient_names]
