"""Parameters of many shapes as one tensor (members, letters), and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor


def upload(values: npt.NDArray[Any], device: str, dtype: torch.dtype) -> Tensor:
    """An array as a tensor of that dtype on the device. Nobody waits for the copy, nor for what was begun before."""
    if not device.startswith("cuda"):
        return torch.from_numpy(values).to(device, dtype)
    return torch.from_numpy(values).to(dtype).pin_memory().to(device, non_blocking=True)


def begin_download(values: Tensor) -> Callable[[], npt.NDArray[Any]]:
    """Queue one copy into page-locked memory behind what was begun; the call waits for it, and is the array."""
    values = values.detach()
    if not values.is_cuda:
        return values.numpy
    copied = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    copied.copy_(values, non_blocking=True)
    done = torch.cuda.Event(blocking=True)  # who waits, sleeps
    done.record()

    def waited_for() -> npt.NDArray[Any]:
        done.synchronize()
        return copied.numpy()

    return waited_for


def download(values: Tensor) -> npt.NDArray[Any]:
    """A tensor as an array, waited for."""
    return begin_download(values)()


def flatten(parameters: Sequence[Tensor]) -> Tensor:
    """(members, letters) of tensors that begin with the member axis."""
    return torch.cat([parameter.detach().flatten(1) for parameter in parameters], dim=1)


def split_like(values: Tensor, parameters: Sequence[Tensor]) -> Sequence[Tensor]:
    """The columns of (members, letters) that belong to each parameter."""
    return values.split([parameter[0].numel() for parameter in parameters], dim=1)


def unflatten(values: Tensor, parameters: Sequence[Tensor]) -> None:
    """Copy (members, letters) back into the parameters: the inverse of `flatten`."""
    for parameter, part in zip(parameters, split_like(values, parameters), strict=True):
        parameter.detach().copy_(part.reshape(parameter.shape))
