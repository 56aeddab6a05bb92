"""Stage 7, `module`: a model as a class of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from workers.trainers.contract import Losses, Member
from workers.trainers.inputs.parameters import coefficients_of_degree
from workers.trainers.losses.member_loss import MemberLoss
from workers.trainers.models.polynomial import polynomial
from workers.trainers.optimizers.member_optimizers import MemberOptimizer, optimizer_of
from workers.trainers.optimizers.optimized_trainer import OptimizedTrainer
from workers.trainers.tensors.device_workspace import AnyWorkspace
from workers.trainers.tensors.row_sums import all_along_points


class Polynomial(torch.nn.Module):
    """a + b x + c x^2 + ... of every member; a parameter (members, 1) for each coefficient, under that name."""

    def __init__(self, coefficient_names: Sequence[str], weights: Tensor, workspace: AnyWorkspace | None) -> None:
        super().__init__()
        self._workspace = workspace
        for coefficient, weight in zip(coefficient_names, weights, strict=True):
            self.register_parameter(coefficient, torch.nn.Parameter(weight.clone()))
        self._weights = list(self.parameters())

    def forward(self, powers: Sequence[Tensor]) -> Tensor:
        """(members, points) for x^0, x^1, ... of (members or 1, points) each."""
        if self._workspace is None:
            return polynomial(all_along_points(self._weights, powers[0].shape[-1]), powers)
        return polynomial(self._weights, powers, self._workspace)


class Trainer(OptimizedTrainer):
    """Unlike stage 6, the model is a module of our own, with a parameter for each coefficient."""

    def __init__(self, members: Sequence[Member], device: str) -> None:
        degree = members[0]["degree"]
        super().__init__(members, device, coefficients_of_degree(degree))
        self.workspace = self.workspace_for_pack()
        self.powers = self.padded(self.powers_of_x(degree)).unbind()
        self.y = self.padded(self.y).expand(self.width, -1)
        self.model = Polynomial(self.coefficient_names, self.initial_weights(), self.workspace)
        self.parameters = list(self.model.parameters())
        self.criterion = MemberLoss(members, self.as_column, self.workspace)
        self.optimizer: MemberOptimizer = optimizer_of(self.parameters, members)

    def step(self, t: int) -> Losses:
        # forward
        y_pred = self.model(self.powers)
        loss = self.criterion(y_pred, self.y)
        # backward
        self.optimizer.zero_grad()
        loss.backward(self.ones)
        # update
        self.optimizer.step()
        return loss.detach()
