"""Sums along the points, one number a row, with bits that depend neither on the other rows nor on how many there are.

On a CPU with one thread the libraries' own sums have this property. On a GPU they do not, see `fixed_sums`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Tensor = Any
"""A numpy array or a torch tensor."""


def is_on_gpu(values: Tensor) -> bool:
    """Whether they are a CUDA tensor, whose own sums may depend on the number of rows."""
    return _is_cuda(values)


def _is_cuda(values: Tensor) -> bool:  # of its own, so that a test without a GPU can replace it for all callers
    return bool(getattr(values, "is_cuda", False))


def row_sum(values: Tensor) -> Tensor:
    """(...) of (..., points)."""
    if is_on_gpu(values):
        from workers.trainers.tensors.fixed_sums import RowSum

        return RowSum.apply(values)
    return values.sum(-1)


def along_points(weights: Tensor, points: int) -> Tensor:
    """Weights (..., 1) as the factors of (..., points), whose gradients torch will sum up row by row.

    On a CPU the weights are returned as they are, for broadcasting.
    """
    if is_on_gpu(weights):
        from workers.trainers.tensors.fixed_sums import AlongPoints

        return AlongPoints.apply(weights, points)
    return weights


def all_along_points(weights: Sequence[Tensor], points: int) -> Sequence[Tensor]:
    """`along_points` of several weights of one shape. On a GPU their gradients are summed in one operation."""
    if is_on_gpu(weights[0]):
        import torch

        return along_points(torch.stack(list(weights)), points).unbind()
    return weights
