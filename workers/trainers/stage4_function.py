"""Stage 4, `function`: an autograd function of our own, the Legendre polynomial of third degree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from workers.trainers.contract import Losses, Member
from workers.trainers.losses import WrittenOutLoss, turns
from workers.trainers.polynomial import legendre_formula
from workers.trainers.row_sums import along_points
from workers.trainers.torch_trainer import TorchTrainer

START = {"a": 0.0, "b": -1.0, "c": 0.0, "d": 0.3}


class LegendrePolynomial3(torch.autograd.Function):
    """P3(z) = (5 z^3 - 3 z) / 2, whose derivative is 3 (5 z^2 - 1) / 2."""

    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        square = z * z  # z ** 2 and z ** 3 have these bits too, and the derivative needs the square again
        ctx.save_for_backward(square)
        return 0.5 * (5 * (square * z) - 3 * z)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (square,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * square - 1)


class Trainer(TorchTrainer):
    """Beside stage 3 the model is another, y = a + b P3(c + d x). `weights` are (letters, members, 1)."""

    def __init__(self, members: Sequence[Member], device: str) -> None:
        members = [{**member, "init": START} if member["init"] == "default" else member for member in members]
        super().__init__(members, device, "abcd")
        self.weights = self.initial_weights().requires_grad_()
        self.parameters = self.weights.detach().unbind()
        self.learning_rate = self.column("learning_rate")
        self.loss = WrittenOutLoss(torch, members, self.y.shape[-1], self.as_column(turns(members)))

    def step(self, t: int) -> Losses:
        # forward
        a, b, c, d = along_points(self.weights, self.points).unbind()
        y_pred = a + b * LegendrePolynomial3.apply(c + d * self.x)
        loss = self.loss(y_pred - self.y)
        # backward
        loss.backward(self.ones)
        # update, unseen by autograd
        with torch.no_grad():
            self.weights -= self.learning_rate * self.weights.grad  # type: ignore[operator]
            self.weights.grad = None
        return loss.detach()

    def formula(self, coefficients: Mapping[str, float]) -> str:
        return legendre_formula(coefficients)
