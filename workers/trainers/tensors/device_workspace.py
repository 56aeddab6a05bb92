"""A pack's large arrays on a GPU, made once: a step of an eager stage computes in them, in few passes over memory.

What a wide pack's step costs is reading and writing arrays of (members, points). So the points are filled up to a
length that `fixed_sum` need not copy, the sums of a step share one call, and products are added where they are made.
The places beyond the points are zero in every power of x, in y, and so in every error: they add nothing to any sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import pad

from workers.trainers.tensors.fixed_sums import fixed_sum, length_without_copy
from workers.trainers.tensors.workspace import Workspace


class DeviceWorkspace:
    """The `Workspace` of a GPU, for packs of any width; `inside`, (1, length), is 1 at the points and 0 beyond them."""

    def __init__(self, members: int, points: int, dtype: torch.dtype, device: str | torch.device) -> None:
        self.points, self._length = points, length_without_copy(points)
        self.inside = self.padded(torch.ones((1, points), dtype=dtype, device=device))
        self.total = torch.empty((members, self._length), dtype=dtype, device=device)
        self._terms = self.total.new_empty((0, members, self._length))

    def padded(self, rows: Tensor) -> Tensor:
        """(..., length) of (..., points)."""
        return pad(rows, (0, self._length - self.points))

    def scratch(self) -> list[Tensor]:
        """Three new arrays."""
        return [torch.empty_like(self.total) for _ in range(3)]

    def terms(self, count: int) -> Tensor:
        """(count, members, length), whose values the next call with `terms` overwrites."""
        if len(self._terms) < count:
            self._terms = self.total.new_empty((count, *self.total.shape))
        return self._terms[:count]

    def weighted_sum(
        self, weights: Sequence[Tensor], powers: Sequence[Tensor], constant: Tensor | None = None
    ) -> Tensor:
        """w_1 p_1 + w_2 p_2 + ... + constant at the points, (members, length), of weights (members, 1)."""
        total: Tensor = _WeightedSum.apply(self, powers, constant, *weights)
        return total

    def plus(self, values: Tensor, constant: Tensor) -> Tensor:
        """`values` plus a constant (members, 1) at the points. Overwrites `values`."""
        total: Tensor = _Plus.apply(self, values, constant)
        return total

    def scaled(self, weight: Tensor, values: Tensor) -> Tensor:
        """A weight (members, 1) by values of its pack, which are not in `total`."""
        total: Tensor = _Scaled.apply(self, weight, values)
        return total

    def squared_error(self, y_pred: Tensor, y: Tensor, points: int | None) -> Tensor:
        """What torch.nn.MSELoss comes to for every member, (members,); `points` is what a mean divides by."""
        loss: Tensor = _SquaredError.apply(self, y_pred, y, points)
        return loss

    def gradients(self, grad: Tensor, powers: Sequence[Tensor]) -> Tensor:
        """The sums of `grad` times each of the powers, (powers, members, 1), in one call of `fixed_sum`."""
        terms = self.terms(len(powers))
        for term, power in zip(terms, powers, strict=True):
            torch.mul(grad, power, out=term)
        return fixed_sum(terms).unsqueeze(-1)


AnyWorkspace: TypeAlias = Workspace | DeviceWorkspace
"""Of a CPU or of a GPU."""


class _WeightedSum(Function):
    """The powers need no gradient; the constant, None where there is none, and the weights do."""

    @staticmethod
    def forward(
        ctx: Any, workspace: DeviceWorkspace, powers: Sequence[Tensor], constant: Tensor | None, *weights: Tensor
    ) -> Tensor:
        ctx.workspace, ctx.powers, ctx.has_constant = workspace, powers, constant is not None
        total = workspace.total
        pairs = [*([] if constant is None else [(constant, workspace.inside)]), *zip(weights, powers, strict=True)]
        torch.mul(*pairs[0], out=total)
        for weight, power in pairs[1:]:
            total.addcmul_(weight, power)
        return total.detach()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        of_constant = fixed_sum(grad).unsqueeze(-1) if ctx.has_constant else None
        return None, None, of_constant, *ctx.workspace.gradients(grad, ctx.powers).unbind()


class _Plus(Function):
    @staticmethod
    def forward(ctx: Any, workspace: DeviceWorkspace, values: Tensor, constant: Tensor) -> Tensor:
        return values.detach().addcmul_(constant, workspace.inside)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, Tensor]:
        return None, grad, fixed_sum(grad).unsqueeze(-1)


class _Scaled(Function):
    """A weight by values that need a gradient, too."""

    @staticmethod
    def forward(ctx: Any, workspace: DeviceWorkspace, weight: Tensor, values: Tensor) -> Tensor:
        ctx.workspace, ctx.weight, ctx.values = workspace, weight, values
        return torch.mul(weight, values, out=workspace.total).detach()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, Tensor]:
        (of_weight,) = ctx.workspace.gradients(grad, [ctx.values])
        return None, of_weight, torch.mul(grad, ctx.weight)


class _SquaredError(Function):
    @staticmethod
    def forward(ctx: Any, workspace: DeviceWorkspace, y_pred: Tensor, y: Tensor, points: int | None) -> Tensor:
        ctx.points, ctx.error = points, torch.sub(y_pred, y, out=workspace.total)
        (term,) = workspace.terms(1)
        loss = fixed_sum(torch.mul(ctx.error, ctx.error, out=term))
        return loss if points is None else loss / points

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, None, None]:
        factor = 2.0 * grad if ctx.points is None else 2.0 / ctx.points * grad
        return None, ctx.error.mul_(factor.unsqueeze(-1)), None, None
