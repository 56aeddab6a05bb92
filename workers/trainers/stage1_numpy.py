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
from workers.trainers.tensors.memory import LEAST_BUFFER, blocks_in_cache, cache_aligned, keep_freed_memory


class Trainer(CoefficientsTrainer):
    """Gradient descent on `weights`, (coefficients, members, 1), with data of (members or 1, points).

    A step does one block of members after the other, since a whole pack's arrays leave the core's own cache.
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
        self.thresholds = thresholds(members).astype(dtype)[:, np.newaxis]

        own_rows = (degree if len(x) > 1 else 0) + (1 if len(y) > 1 else 0)
        blocks = blocks_in_cache(self.width, (2 + own_rows) * self.y[0].nbytes)
        workspace = cache_aligned(np.empty((2, blocks[0].stop, self.y.shape[-1]), dtype))
        self.blocks = [self._block(members, rows, workspace) for rows in blocks]

    def _block(self, members: Sequence[Member], rows: slice, workspace: Array) -> _Block:
        basis = self.basis if self.basis.shape[1] == 1 else self.basis[:, rows]
        y = self.y if len(self.y) == 1 else self.y[rows]
        loss = WrittenOutLoss(np, members, y.shape[-1], self.thresholds[rows])
        # A lone job's time depends on the number of operations, and it has fewer without a workspace.
        keeps_arrays = self.width > 1 and len(basis) > 1 and loss.is_square
        kept = workspace[:, : rows.stop - rows.start] if keeps_arrays else None
        return _Block(self.weights[:, rows], self.learning_rate[rows], basis, y, loss, kept)

    # A diverging member must not fill the log of the others.
    @np.errstate(over="ignore", invalid="ignore")
    def step(self, t: int) -> Losses:
        np.setbufsize(LEAST_BUFFER)  # until the end of errstate
        losses = [block.step() for block in self.blocks]
        return losses[0] if len(losses) == 1 else np.concatenate(losses)

    def state(self) -> dict[str, Array]:
        return {
            coefficient: weight[:, 0].copy()
            for coefficient, weight in zip(self.coefficient_names, self.weights, strict=True)
        }

    def load_state(self, arrays: Mapping[str, Array]) -> None:
        self.weights[..., 0] = [self.row(arrays, coefficient) for coefficient in self.coefficient_names]


class _Block:
    """Some members of a pack. Every array's first axis, or the second one after the coefficients, is theirs.

    The coefficients are the first axis, so the tutorial's four grad_ lines are one line here, and its four updates too.
    """

    def __init__(
        self, weights: Array, learning_rate: Array, basis: Array, y: Array, loss: WrittenOutLoss,
        workspace: Array | None,
    ) -> None:  # fmt: skip
        self.weights, self.learning_rate, self.basis, self.y, self.loss = weights, learning_rate, basis, y, loss
        self.squared_error = None
        if workspace is not None:
            # add.reduce is what np.sum does, without a microsecond of Python in each call
            self.squared_error = SquaredError(np, weights, basis, y, workspace, loss.points, np.add.reduce)

    def step(self) -> Array:
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
