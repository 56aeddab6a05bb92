"""Stage 4, `function`: an autograd function of our own, the Legendre polynomial of third degree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from workers.trainers.contract import Losses, Member
from workers.trainers.losses.member_loss import MemberLoss
from workers.trainers.models.polynomial import legendre_formula
from workers.trainers.models.torch_trainer import TorchTrainer

START = {"a": 0.0, "b": -1.0, "c": 0.0, "d": 0.3}


class LegendrePolynomial3(torch.autograd.Function):
    """P3(z) = (5 z^3 - 3 z) / 2, whose derivative is 3 (5 z^2 - 1) / 2.

    `scratch` holds three arrays, (members, points), that a pack computes in; three times None for a lone job.
    """

    @staticmethod
    def forward(ctx: Any, z: Tensor, scratch: Sequence[Tensor | None]) -> Tensor:
        square, value, ctx.term = scratch
        ctx.square = torch.mul(z, z, out=square)  # z ** 2 and z ** 3 have these bits too
        value = torch.mul(ctx.square, z, out=value)
        value *= 5
        value -= torch.mul(z, 3, out=ctx.term)
        value *= 0.5
        return value.detach()

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None]:
        slope = ctx.square  # overwritten: backward runs once
        slope *= 5
        slope -= 1
        slope *= torch.mul(grad_output, 1.5, out=ctx.term)
        return slope, None


class Trainer(TorchTrainer):
    """Stage 3 with another model, y = a + b P3(c + d x). `weights` are (coefficients, members, 1)."""

    def __init__(self, members: Sequence[Member], device: str) -> None:
        members = [{**member, "init": START} if member["init"] == "default" else member for member in members]
        super().__init__(members, device, "abcd")
        self.weights = self.initial_weights().requires_grad_()
        self.parameters = self.weights.detach().unbind()
        self.learning_rate = self.column("learning_rate")
        self.workspace = self.workspace_for_pack()
        self.x, self.y = self.padded(self.x), self.padded(self.y).expand(self.width, -1)
        self.scratch: Sequence[Tensor | None] = [None] * 3
        if self.workspace is not None:
            self.scratch = self.workspace.scratch()
        self.loss = MemberLoss(members, self.as_column, self.workspace)

    def step(self, t: int) -> Losses:
        # forward
        a, b, c, d = self.weights.unbind()
        if self.workspace is None:
            z = d * self.x
            z += c
            y_pred = b * LegendrePolynomial3.apply(z, self.scratch)
            y_pred += a
        else:
            z = self.workspace.weighted_sum([d], [self.x], c)
            y_pred = self.workspace.scaled(b, LegendrePolynomial3.apply(z, self.scratch), a)
        loss = self.loss(y_pred, self.y)
        # backward
        loss.backward(self.ones)
        # update, unseen by autograd
        with torch.no_grad():
            self.weights -= self.learning_rate * self.weights.grad  # type: ignore[operator]
            self.weights.grad = None
        return loss.detach()

    def formula(self, coefficients: Mapping[str, float]) -> str:
        return legendre_formula(coefficients)
