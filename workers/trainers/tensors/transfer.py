"""Parameters of many shapes as one tensor (members, coefficients), and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor


def upload(values: npt.NDArray[Any], device: str, dtype: torch.dtype) -> Tensor:
    """An array as a tensor of that dtype on the device. The call waits neither for the copy nor for earlier work."""
    return page_locked(values, device, dtype).to(device, non_blocking=True)


def page_locked(values: npt.NDArray[Any], device: str, dtype: torch.dtype) -> Tensor:
    """An array as a tensor of that dtype on the host, from where the device copies it by itself."""
    there = torch.from_numpy(values).to(dtype)
    return there.pin_memory() if device.startswith("cuda") else there


def begin_download(values: Tensor) -> Callable[[], npt.NDArray[Any]]:
    """Queue one copy into page-locked memory behind earlier work. Calling the result waits, and returns the array."""
    values = values.detach()
    if not values.is_cuda:
        return values.numpy
    copied = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    copied.copy_(values, non_blocking=True)
    done = torch.cuda.Event(blocking=True)  # a waiting thread sleeps instead of spinning
    done.record()

    def waited_for() -> npt.NDArray[Any]:
        done.synchronize()
        return copied.numpy()

    return waited_for


def download(values: Tensor) -> npt.NDArray[Any]:
    """A tensor as an array. Waits for the device."""
    return begin_download(values)()


def flatten(parameters: Sequence[Tensor]) -> Tensor:
    """(members, coefficients) of tensors that begin with the member axis."""
    return torch.cat([parameter.detach().flatten(1) for parameter in parameters], dim=1)


def split_like(values: Tensor, parameters: Sequence[Tensor]) -> Sequence[Tensor]:
    """The columns of (members, coefficients) that belong to each parameter."""
    return values.split([parameter[0].numel() for parameter in parameters], dim=1)


def unflatten(values: Tensor, parameters: Sequence[Tensor]) -> None:
    """Copy (members, coefficients) back into the parameters: the inverse of `flatten`."""
    for parameter, part in zip(parameters, split_like(values, parameters), strict=True):
        parameter.detach().copy_(part.reshape(parameter.shape))
