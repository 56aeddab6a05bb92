"""Stage 1, `numpy`: the polynomial with its gradient worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from workers.trainers.contract import Array, Losses, Member
from workers.trainers.data import numpy_rows
from workers.trainers.lettered import LetteredTrainer
from workers.trainers.losses import WrittenOutLoss, turns
from workers.trainers.memory import keep_freed_memory
from workers.trainers.parameters import column, initial_weights, letters_of_degree
from workers.trainers.polynomial import powers_of, stacked_gradients, stacked_polynomial


class Trainer(LetteredTrainer):
    """Gradient descent on `weights`, (letters, members, 1), against data of (members or 1, points).

    The tutorial's four grad_ lines are one line here and its four updates another: the letters are the first axis.
    """

    def __init__(self, members: Sequence[Member], device: str) -> None:
        keep_freed_memory()
        dtype = np.dtype(members[0]["dtype"])
        degree = members[0]["degree"]
        x, y = numpy_rows(members)
        self.width = len(members)
        self.letters = letters_of_degree(degree)
        self.basis = np.stack([powers_of(row, degree) for row in x], axis=1)
        self.y = np.stack(y)
        self.weights = initial_weights(members, self.letters).astype(dtype)[..., np.newaxis]
        self.learning_rate = column(members, "learning_rate").astype(dtype)[:, np.newaxis]
        self.loss = WrittenOutLoss(np, members, self.y.shape[-1], turns(members).astype(dtype)[:, np.newaxis])

    # A diverging member must not fill the log of the others.
    @np.errstate(over="ignore", invalid="ignore")
    def step(self, t: int) -> Losses:
        # forward
        y_pred = stacked_polynomial(self.weights, self.basis)
        error = y_pred - self.y
        loss: Array = self.loss(error)
        # backward
        grad_y_pred = self.loss.slope(error)
        grads = stacked_gradients(np, grad_y_pred, self.basis)
        # update
        self.weights -= self.learning_rate * grads
        return loss

    def state(self) -> dict[str, Array]:
        return {letter: weight[:, 0].copy() for letter, weight in zip(self.letters, self.weights, strict=True)}

    def load_state(self, arrays: Mapping[str, Array]) -> None:
        self.weights[..., 0] = [self.row(arrays, letter) for letter in self.letters]
