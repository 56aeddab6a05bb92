"""The x and y of the seven torch stages: made by torch on the CPU in the job's dtype, then moved to the device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workers.trainers.contract import Member
from workers.trainers.inputs.datasets import x_and_y_rows


class TorchLibrary:
    """Rows as torch tensors on the CPU."""

    functions: Mapping[str, Callable[[Tensor], Tensor]] = {
        "sin": torch.sin,
        "cos": torch.cos,
        "exp": torch.exp,
        "tanh": torch.tanh,
        "step": lambda x: torch.heaviside(x, torch.ones((), dtype=x.dtype)),
        "abs": torch.abs,
        "gauss": lambda x: torch.exp(-(x**2)),
    }

    def __init__(self, dtype: torch.dtype) -> None:
        self._dtype = dtype

    def linspace(self, start: float, stop: float, points: int) -> Tensor:
        """An even grid, (points,)."""
        return torch.linspace(start, stop, points, dtype=self._dtype)

    def copy(self, values: Any) -> Tensor:
        """A new tensor of the values, rounded to the dtype."""
        return torch.from_numpy(np.array(values, dtype=np.float64)).to(self._dtype)


def torch_dtype(members: Sequence[Member]) -> torch.dtype:
    """The pack's dtype, float32 or float64."""
    return {"float32": torch.float32, "float64": torch.float64}[members[0]["dtype"]]


def torch_rows(members: Sequence[Member]) -> tuple[list[Tensor], list[Tensor]]:
    """The x rows and the y rows on the CPU, each (points,); one where all members have the same, else one for each."""
    return x_and_y_rows(members, TorchLibrary(torch_dtype(members)))
