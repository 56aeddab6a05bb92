"""Stage 5, `nn`: layers, a sequence of modules and a loss from torch.nn."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from workers.trainers.contract import Losses, Member
from workers.trainers.models.linear import LinearTrainer


class Trainer(LinearTrainer):
    """Unlike stage 3, the polynomial is a linear layer over the powers of x, and the loss is a module."""

    def __init__(self, members: Sequence[Member], device: str) -> None:
        super().__init__(members, device)
        self.learning_rate = self.column("learning_rate").unsqueeze(-1)

    def step(self, t: int) -> Losses:
        # forward
        y_pred = self.model(self.xx)
        loss = self.loss_fn(y_pred, self.y)
        # backward
        loss.backward(self.ones)
        # update, unseen by autograd
        with torch.no_grad():
            for parameter in self.parameters:
                parameter -= self.learning_rate * parameter.grad  # type: ignore[operator]
                parameter.grad = None
        return loss.detach()
