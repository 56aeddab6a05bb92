"""Stage 2, `tensor`: stage 1 with torch's tensors, which may live on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from workers.trainers.contract import Array, Losses, Member
from workers.trainers.inputs.parameters import coefficients_of_degree
from workers.trainers.losses.squared_error import SquaredError
from workers.trainers.losses.written_out import WrittenOutLoss, thresholds
from workers.trainers.models.polynomial import stacked_gradients, stacked_polynomial
from workers.trainers.models.torch_trainer import TorchTrainer
from workers.trainers.tensors.device_workspace import DeviceWorkspace
from workers.trainers.tensors.row_sums import is_on_gpu


class Trainer(TorchTrainer):
    """Gradient descent by hand on `weights`, (coefficients, members, 1). Only the library differs from stage 1."""

    stride = 1

    def __init__(self, members: Sequence[Member], device: str) -> None:
        degree = members[0]["degree"]
        super().__init__(members, device, coefficients_of_degree(degree))
        self.workspace = self.workspace_for_pack() if is_on_gpu(self.y) else None
        basis, self.y = self.padded(self.powers_of_x(degree)), self.padded(self.y)
        self.basis: Any = basis if self.workspace is None else basis.unbind()
        self.weights = self.initial_weights()
        self.parameters = self.weights.unbind()
        self.learning_rate = self.column("learning_rate")
        self.loss = WrittenOutLoss(torch, members, self.points, self.as_column(thresholds(members)))
        # A pack's arrays are large: a workspace saves new memory at every step. A lone job's time is per operation.
        has_workspace = degree > 0 and self.loss.is_square and (self.width > 1 or self.workspace is not None)
        self.squared_error = self._squared_error() if has_workspace else None

    def _squared_error(self) -> Callable[[], tuple[Tensor, Tensor]]:
        if isinstance(self.workspace, DeviceWorkspace):
            by_hand = self.workspace.squared_error_by_hand
            return partial(by_hand, self.weights, self.basis, self.y, self.loss.points)
        workspace = torch.empty((2, self.width, self.points), dtype=self.dtype)
        return SquaredError(torch, self.weights, self.basis, self.y, workspace, self.loss.points, torch.sum)

    @torch.inference_mode()  # no autograd here: each operation takes a tenth less
    def run(self, begin: int, end: int) -> Array:
        """Do the updates `begin` to `end` - 1; the losses, (steps, members)."""
        return self.stack_losses([self.step(t) for t in range(begin, end)])

    def step(self, t: int) -> Losses:
        if self.squared_error is not None:
            loss, grads = self.squared_error()
            self.weights -= self.learning_rate * grads
            return loss
        # forward
        y_pred = stacked_polynomial(self.weights, self.basis, self.workspace)
        error = y_pred - self.y
        loss = self.loss(error)
        # backward
        grad_y_pred = self.loss.slope(error)
        grads = stacked_gradients(torch, grad_y_pred, self.basis, self.workspace)
        # update
        self.weights -= self.learning_rate * grads
        return loss
