"""The losses of torch.nn for a pack: one number for each member."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from workers.trainers.contract import Member
from workers.trainers.inputs.parameters import Floats
from workers.trainers.losses.written_out import SLOPES, VALUES, thresholds
from workers.trainers.tensors.device_workspace import AnyWorkspace
from workers.trainers.tensors.row_sums import is_on_gpu, row_sum


class MemberLoss:
    """Takes y_pred and y, both (members, points), and gives (members,).

    Pointwise and then reduced row by row, which has the bits of torch.nn's own reduction of a lone job. With a
    workspace a squared error is computed in it, and `y_pred` is overwritten.
    """

    def __init__(
        self,
        members: Sequence[Member],
        as_column: Callable[[Floats], Tensor],
        workspace: AnyWorkspace | None = None,
    ) -> None:
        name = members[0]["loss"]["name"]
        self._workspace = workspace if name == "mse" else None
        self._points = None if workspace is None else workspace.points  # without those that only fill up
        self._pointwise: torch.nn.Module
        if name == "mse":
            self._pointwise = torch.nn.MSELoss(reduction="none")
        elif name == "l1":
            self._pointwise = torch.nn.L1Loss(reduction="none")
        else:
            self._pointwise = ThresholdLoss(name, as_column(thresholds(members)))
        self._is_mean = members[0]["loss"]["reduction"] == "mean"
        self._reduce = torch.mean if self._is_mean else torch.sum

    def __call__(self, y_pred: Tensor, y: Tensor) -> Tensor:
        points = self._points or y.shape[-1]
        if self._workspace is not None:
            return self._workspace.squared_error(y_pred, y, points if self._is_mean else None)
        pointwise = self._pointwise(y_pred, y)
        if is_on_gpu(pointwise):
            total = row_sum(pointwise)
            return total / points if self._is_mean else total
        return self._reduce(pointwise, -1)


class ThresholdLoss(torch.nn.Module):
    """SmoothL1Loss and HuberLoss, not reduced, with a beta or delta for each member: `threshold`, (members, 1).

    torch's own kernels of the two round the gradient of a tensor's last elements otherwise than that of its first
    (vector and scalar code differ), so a member's bits would depend on its place in the pack.
    """

    def __init__(self, name: str, threshold: Tensor) -> None:
        super().__init__()
        self._name = name
        self._threshold = threshold

    def forward(self, y_pred: Tensor, y: Tensor) -> Tensor:
        return _Threshold.apply(y_pred - y, self._threshold, self._name)


class _Threshold(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, error: Tensor, threshold: Tensor, name: str) -> Tensor:
        ctx.save_for_backward(error, threshold)
        ctx.slope = SLOPES[name]
        return VALUES[name](torch, error, threshold)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        error, threshold = ctx.saved_tensors
        return grad * ctx.slope(torch, error, threshold), None, None
