"""The squared error of a pack's polynomials and its gradients, in arrays that are made once.

The same operations in the same order as `polynomial`, `WrittenOutLoss` and `stacked_gradients`, so the same bits. New
arrays of (members, points) at every operation push one another out of the cache: that costs a sixth of a step.
"""

from __future__ import annotations

import torch
from torch import Tensor


class SquaredError:
    """For weights (letters, members, 1), at least two letters, and a basis of (letters, members or 1, points)."""

    def __init__(self, basis: Tensor, y: Tensor, members: int, points: int | None) -> None:
        """`points` is what a mean divides by, None for a sum."""
        self._powers, self._y, self._points = basis.unbind(), y, points
        self._error = torch.empty((members, y.shape[-1]), dtype=y.dtype, device=y.device)
        self._term = torch.empty_like(self._error)

    def __call__(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """The losses, (members,), and the gradients of the weights, (letters, members, 1)."""
        error, term = self._error, self._term
        constant, first, *others = weights.unbind()
        # forward
        torch.mul(first, self._powers[1], out=error)
        error += constant
        for weight, power in zip(others, self._powers[2:], strict=True):
            error += torch.mul(weight, power, out=term)
        error -= self._y
        loss = torch.mul(error, error, out=term).sum(-1)
        # backward
        error *= 2.0
        if self._points is not None:
            loss /= self._points
            error /= self._points
        grads = [error.sum(-1, keepdim=True)]
        grads += [torch.mul(error, power, out=term).sum(-1, keepdim=True) for power in self._powers[1:]]
        return loss, torch.stack(grads)
