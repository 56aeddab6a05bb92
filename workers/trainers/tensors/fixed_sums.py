"""Sums of a fixed shape, for a GPU.

torch lays out a reduction by the number of its outputs (`setReduceConfig` in ATen/native/cuda/Reduce.cuh): with few
rows several warps or blocks share one, and every layout rounds otherwise. Rows of exactly `CHUNK` values, or of at most
`SHORT`, leave it no choice: one warp a row, at most four values a lane. So a long row is cut into such chunks, whatever
the number of rows, and the sums of its chunks are summed in the same way.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

CHUNK = 128
SHORT = 32


def fixed_sum(values: Tensor) -> Tensor:
    """(...) of (..., points). The number of points decides how it is summed, and nothing else does."""
    while values.shape[-1] > SHORT:
        values = _in_chunks(values).sum(-1)
    return values.contiguous().sum(-1)


def length_without_copy(points: int) -> int:
    """The least number from `points` on whose rows `fixed_sum` reads where they are."""
    return points if points <= SHORT else points + -points % CHUNK


def _in_chunks(values: Tensor) -> Tensor:
    """(..., chunks, CHUNK), filled up with zeros."""
    missing = -values.shape[-1] % CHUNK
    # Padding copies; without it a view may begin anywhere, and vectors are loaded from multiples of 16 bytes.
    filled = pad(values, (0, missing)) if missing else values.contiguous()
    return filled.unflatten(-1, (-1, CHUNK))


class RowSum(torch.autograd.Function):
    """`fixed_sum`, whose gradient is the same for all points of a row."""

    @staticmethod
    def forward(values: Tensor) -> Tensor:
        return fixed_sum(values)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.points = inputs[0].shape[-1]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad.unsqueeze(-1).expand(*grad.shape, ctx.points)


class AlongPoints(torch.autograd.Function):
    """(..., points) of weights (..., 1); their gradient is the `fixed_sum` of what comes back."""

    @staticmethod
    def forward(weights: Tensor, points: int) -> Tensor:
        return weights.expand(*weights.shape[:-1], points)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, int], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return fixed_sum(grad).unsqueeze(-1), None
