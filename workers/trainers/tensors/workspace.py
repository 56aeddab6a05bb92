"""A pack's large arrays, made once: a step of a stage with autograd computes in them.

Without a workspace torch asks the C library for new memory at every operation. New memory is in no cache, so a step
takes up to twice as long. The operations and their order are the same with and without, so the bits are too. A lone job
needs none: its arrays are small, and its time depends on the number of operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function


class Workspace:
    """Arrays of (members, points): `total` for the prediction and then its error, `term` for a term about to be added.

    Each step overwrites the arrays of the last, and `backward` those of its step: call it once a step.
    """

    def __init__(self, members: int, points: int, dtype: torch.dtype) -> None:
        self.points = points
        self.total, self.term = torch.empty((2, members, points), dtype=dtype)

    def padded(self, rows: Tensor) -> Tensor:
        """The rows as they are; those of a GPU are filled up."""
        return rows

    def scratch(self) -> list[Tensor]:
        """Three arrays; the last is `term`."""
        return [torch.empty_like(self.term), torch.empty_like(self.term), self.term]

    def linear(self, weights: Sequence[Tensor], powers: Sequence[Tensor], bias: Tensor) -> Tensor:
        """`weighted_sum` of the weights, and the bias (members, 1) added at the end."""
        total = self.weighted_sum(weights, powers)
        total += bias
        return total

    def weighted_sum(
        self, weights: Sequence[Tensor], powers: Sequence[Tensor], constant: Tensor | None = None
    ) -> Tensor:
        """w_1 p_1 + w_2 p_2 + ..., (members, points), of weights (members, 1) and powers (members or 1, points).

        Added from the left; `constant` (members, 1), where there is one, is the second that is added.
        """
        total: Tensor = _WeightedSum.apply(self.total, self.term, powers, constant, *weights)
        return total

    def polynomial(self, weights: Tensor, basis: Sequence[Tensor]) -> Tensor:
        """`weighted_sum` of weights (coefficients, members, 1), of which the first is the constant."""
        constant, *others = weights
        return self.weighted_sum(others, basis[1:], constant)

    def scaled(self, weight: Tensor, values: Tensor, constant: Tensor) -> Tensor:
        """A weight (members, 1) by values of its pack, (members, points), plus a constant (members, 1).

        The values are in neither of the two arrays.
        """
        total: Tensor = _Scaled.apply(weight, values, self.total, self.term)
        total += constant
        return total

    def squared_error(self, y_pred: Tensor, y: Tensor, points: int | None) -> Tensor:
        """What torch.nn.MSELoss comes to for every member, (members,); `points` is what a mean divides by."""
        loss: Tensor = _SquaredError.apply(y_pred, y, points, self.total, self.term)
        return loss


class _WeightedSum(Function):
    """The powers need no gradient; the constant, None where there is none, and the weights do."""

    @staticmethod
    def forward(
        ctx: Any, total: Tensor, term: Tensor, powers: Sequence[Tensor], constant: Tensor | None, *weights: Tensor
    ) -> Tensor:
        ctx.term, ctx.powers, ctx.has_constant = term, powers, constant is not None
        torch.mul(weights[0], powers[0], out=total)
        if constant is not None:
            total += constant
        for weight, power in zip(weights[1:], powers[1:], strict=True):
            total += torch.mul(weight, power, out=term)
        return total.detach()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        of_constant = grad.sum(-1, keepdim=True) if ctx.has_constant else None
        of_weights = (torch.mul(grad, power, out=ctx.term).sum(-1, keepdim=True) for power in ctx.powers)
        return None, None, None, of_constant, *of_weights


class _Scaled(Function):
    """A weight by values that need a gradient, too."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, values: Tensor, out: Tensor, term: Tensor) -> Tensor:
        ctx.weight, ctx.values, ctx.term = weight, values, term
        return torch.mul(weight, values, out=out).detach()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        of_weight = torch.mul(grad, ctx.values, out=ctx.term).sum(-1, keepdim=True)
        return of_weight, torch.mul(grad, ctx.weight, out=ctx.term), None, None


class _SquaredError(Function):
    @staticmethod
    def forward(ctx: Any, y_pred: Tensor, y: Tensor, points: int | None, error: Tensor, term: Tensor) -> Tensor:
        ctx.points, ctx.error = points, torch.sub(y_pred, y, out=error)
        loss = torch.mul(error, error, out=term).sum(-1)
        return loss if points is None else loss / points

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None, None]:
        ctx.error *= 2.0
        ctx.error *= (grad if ctx.points is None else grad / ctx.points).unsqueeze(-1)
        return ctx.error, None, None, None, None
