"""Stage 2, `tensor`: stage 1 with torch's tensors, which may live on a GPU."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from workers.trainers.contract import Losses, Member
from workers.trainers.losses import WrittenOutLoss, turns
from workers.trainers.parameters import letters_of_degree
from workers.trainers.polynomial import stacked_gradients, stacked_polynomial
from workers.trainers.torch_trainer import TorchTrainer


class Trainer(TorchTrainer):
    """Gradient descent by hand on `weights`, (letters, members, 1). Beside stage 1 only the library is another."""

    def __init__(self, members: Sequence[Member], device: str) -> None:
        degree = members[0]["degree"]
        super().__init__(members, device, letters_of_degree(degree))
        self.basis = self.powers_of_x(degree)
        self.weights = self.initial_weights()
        self.parameters = self.weights.unbind()
        self.learning_rate = self.column("learning_rate")
        self.loss = WrittenOutLoss(torch, members, self.y.shape[-1], self.as_column(turns(members)))

    def step(self, t: int) -> Losses:
        # forward
        y_pred = stacked_polynomial(self.weights, self.basis)
        error = y_pred - self.y
        loss: Losses = self.loss(error)
        # backward
        grad_y_pred = self.loss.slope(error)
        grads = stacked_gradients(torch, grad_y_pred, self.basis)
        # update
        self.weights -= self.learning_rate * grads
        return loss
