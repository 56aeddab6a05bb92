"""The x and y of the seven torch stages: made by torch on the CPU in the job's dtype, then moved to the device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from workers.trainers.contract import Member
from workers.trainers.inputs.datasets import noise, x_and_y_rows

FUNCTIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "sin": torch.sin,
    "cos": torch.cos,
    "exp": torch.exp,
    "tanh": torch.tanh,
    "step": lambda x: torch.heaviside(x, torch.ones((), dtype=x.dtype)),
    "abs": torch.abs,
    "gauss": lambda x: torch.exp(-(x**2)),
}


def torch_dtype(members: Sequence[Member]) -> torch.dtype:
    """The pack's dtype, float32 or float64."""
    return {"float32": torch.float32, "float64": torch.float64}[members[0]["dtype"]]


def torch_rows(members: Sequence[Member]) -> tuple[list[Tensor], list[Tensor]]:
    """The x rows and the y rows on the CPU, each of shape (points,); one where all members have the same, else one for
    each."""
    dtype = torch_dtype(members)
    return x_and_y_rows(members, lambda member: _torch_x(member, dtype), lambda member, x: _torch_y(member, x, dtype))


def _torch_x(member: Member, dtype: torch.dtype) -> Tensor:
    dataset = member["dataset"]
    if dataset["kind"] == "inline":
        return _given(dataset["x"], dtype)
    return torch.linspace(dataset["start"], dataset["stop"], dataset["points"], dtype=dtype)


def _torch_y(member: Member, x: Tensor, dtype: torch.dtype) -> Tensor:
    dataset = member["dataset"]
    if dataset["kind"] == "inline":
        return _given(dataset["y"], dtype)
    y = FUNCTIONS[dataset["function"]](x)
    added = noise(member, len(x))
    return y if added is None else y + torch.from_numpy(added).to(dtype)


def _given(values: object, dtype: torch.dtype) -> Tensor:
    # A copy: what the job was given is never written to, and may be a read-only view of received bytes.
    return torch.from_numpy(np.array(values, dtype=np.float64)).to(dtype)
