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
        self._arrays = torch.empty((2, members, self._length), dtype=dtype, device=device)

    @property
    def total(self) -> Tensor:
        """(members, length): a sum, then its error, then its gradient."""
        return self._arrays[0]

    @property
    def term(self) -> Tensor:
        """(members, length): a term about to be summed."""
        return self._arrays[1]

    def padded(self, rows: Tensor) -> Tensor:
        """(..., length) of (..., points)."""
        return pad(rows, (0, self._length - self.points))

    def scratch(self) -> list[Tensor]:
        """Three new arrays."""
        return [torch.empty_like(self.total) for _ in range(3)]

    def weighted_sum(
        self, weights: Sequence[Tensor], powers: Sequence[Tensor], constant: Tensor | None = None
    ) -> Tensor:
        """w_1 p_1 + w_2 p_2 + ... + constant at the points, (members, length), of weights (members, 1)."""
        total: Tensor = _WeightedSum.apply(self, powers, constant, *weights)
        return total

    def polynomial(self, weights: Tensor, basis: Sequence[Tensor]) -> Tensor:
        """`weighted_sum` of weights (coefficients, members, 1), of which the first is the constant."""
        total: Tensor = _Polynomial.apply(self, basis[1:], weights)
        return total

    def linear(self, weights: Sequence[Tensor], powers: Sequence[Tensor], bias: Tensor) -> Tensor:
        """`weighted_sum`, under the name by which a linear layer asks for it."""
        return self.weighted_sum(weights, powers, bias)

    def scaled(self, weight: Tensor, values: Tensor, constant: Tensor) -> Tensor:
        """A weight (members, 1) by values of its pack, which are not in `total`, plus a constant at the points."""
        total: Tensor = _Scaled.apply(self, weight, values, constant)
        return total

    def squared_error(self, y_pred: Tensor, y: Tensor, points: int | None) -> Tensor:
        """What torch.nn.MSELoss comes to for every member, (members,); `points` is what a mean divides by."""
        loss: Tensor = _SquaredError.apply(self, y_pred, y, points)
        return loss

    def squared_error_by_hand(
        self, weights: Tensor, basis: Sequence[Tensor], y: Tensor, points: int | None
    ) -> tuple[Tensor, Tensor]:
        """The losses, (members,), of `polynomial`, and the gradients of the weights, (coefficients, members, 1)."""
        error = _add_up(self, list(zip(weights, (self.inside, *basis[1:]), strict=True)))
        error -= y
        loss = fixed_sum(torch.mul(error, error, out=self.term))
        error *= 2.0 if points is None else 2.0 / points
        return loss if points is None else loss / points, self.gradients(error, basis[1:])

    def gradients(self, grad: Tensor, powers: Sequence[Tensor]) -> Tensor:
        """The sum of `grad`, then those of `grad` times each of the powers, (1 + powers, members, 1).

        They share one call of `fixed_sum`. `grad` need not be copied where it is in `total`.
        """
        if len(self._arrays) <= len(powers):
            arrays = self._arrays.new_empty((len(powers) + 1, *self._arrays.shape[1:]))
            arrays[0], self._arrays = grad, arrays
        elif grad.data_ptr() != self._arrays.data_ptr():
            self._arrays[0] = grad
        total, *terms = self._arrays[: len(powers) + 1]
        for term, power in zip(terms, powers, strict=True):
            torch.mul(total, power, out=term)
        return fixed_sum(self._arrays[: len(powers) + 1]).unsqueeze(-1)


AnyWorkspace: TypeAlias = Workspace | DeviceWorkspace
"""Of a CPU or of a GPU."""


def _add_up(workspace: DeviceWorkspace, pairs: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Products of weights (members, 1) and powers, added up in `total`."""
    total = torch.mul(*pairs[0], out=workspace.total)
    for weight, power in pairs[1:]:
        total.addcmul_(weight, power)
    return total


class _Polynomial(Function):
    """All weights in one tensor, and so all gradients: fewer operations than with a tensor each."""

    @staticmethod
    def forward(ctx: Any, workspace: DeviceWorkspace, powers: Sequence[Tensor], weights: Tensor) -> Tensor:
        ctx.workspace, ctx.powers = workspace, powers
        return _add_up(workspace, list(zip(weights, (workspace.inside, *powers), strict=True))).detach()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, None, Tensor]:
        return None, None, ctx.workspace.gradients(grad, ctx.powers)


class _WeightedSum(Function):
    """The powers need no gradient; the constant, None where there is none, and the weights do."""

    @staticmethod
    def forward(
        ctx: Any, workspace: DeviceWorkspace, powers: Sequence[Tensor], constant: Tensor | None, *weights: Tensor
    ) -> Tensor:
        ctx.workspace, ctx.powers, ctx.has_constant = workspace, powers, constant is not None
        first = [] if constant is None else [(constant, workspace.inside)]
        return _add_up(workspace, [*first, *zip(weights, powers, strict=True)]).detach()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        whole, *of_weights = ctx.workspace.gradients(grad, ctx.powers)
        return None, None, whole if ctx.has_constant else None, *of_weights


class _Scaled(Function):
    """A weight by values that need a gradient, too."""

    @staticmethod
    def forward(ctx: Any, workspace: DeviceWorkspace, weight: Tensor, values: Tensor, constant: Tensor) -> Tensor:
        ctx.workspace, ctx.weight, ctx.values = workspace, weight, values
        return _add_up(workspace, [(constant, workspace.inside), (weight, values)]).detach()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, Tensor, Tensor]:
        of_constant, of_weight = ctx.workspace.gradients(grad, [ctx.values])
        return None, of_weight, torch.mul(grad, ctx.weight), of_constant


class _SquaredError(Function):
    @staticmethod
    def forward(ctx: Any, workspace: DeviceWorkspace, y_pred: Tensor, y: Tensor, points: int | None) -> Tensor:
        ctx.points, ctx.error = points, torch.sub(y_pred, y, out=workspace.total)
        loss = fixed_sum(torch.mul(ctx.error, ctx.error, out=workspace.term))
        return loss if points is None else loss / points

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, None, None]:
        factor = 2.0 * grad if ctx.points is None else 2.0 / ctx.points * grad
        return None, ctx.error.mul_(factor.unsqueeze(-1)), None, None
