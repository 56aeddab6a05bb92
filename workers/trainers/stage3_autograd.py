"""Stage 3, `autograd`: torch records the forward pass and works out the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from workers.trainers.contract import Losses, Member
from workers.trainers.inputs.parameters import coefficients_of_degree
from workers.trainers.losses.member_loss import MemberLoss
from workers.trainers.models.polynomial import stacked_polynomial
from workers.trainers.models.torch_trainer import TorchTrainer
from workers.trainers.tensors.row_sums import along_points


class Trainer(TorchTrainer):
    """Unlike stage 2, `backward` computes the gradient. `weights` are (coefficients, members, 1)."""

    def __init__(self, members: Sequence[Member], device: str) -> None:
        degree = members[0]["degree"]
        super().__init__(members, device, coefficients_of_degree(degree))
        self.workspace = self.workspace_for_pack()
        basis = self.padded(self.powers_of_x(degree))
        self.basis: Any = basis if self.workspace is None else basis.unbind()
        self.weights = self.initial_weights().requires_grad_()
        self.parameters = self.weights.detach().unbind()
        self.learning_rate = self.column("learning_rate")
        self.y = self.padded(self.y).expand(self.width, -1)
        self.loss = MemberLoss(members, self.as_column, self.workspace)

    def step(self, t: int) -> Losses:
        # forward
        weights = along_points(self.weights, self.points) if self.workspace is None else self.weights
        y_pred = stacked_polynomial(weights, self.basis, self.workspace)
        loss = self.loss(y_pred, self.y)
        # backward
        loss.backward(self.ones)
        # update, unseen by autograd
        with torch.no_grad():
            self.weights -= self.learning_rate * self.weights.grad  # type: ignore[operator]
            self.weights.grad = None
        return loss.detach()
