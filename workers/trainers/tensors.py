"""Parameters of many shapes as one tensor (members, letters), and back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def side_by_side(parameters: Sequence[Tensor]) -> Tensor:
    """(members, letters) of tensors that begin with the member axis."""
    return torch.cat([parameter.detach().flatten(1) for parameter in parameters], dim=1)


def split_like(values: Tensor, parameters: Sequence[Tensor]) -> Sequence[Tensor]:
    """The columns of (members, letters) that belong to each parameter."""
    return values.split([parameter[0].numel() for parameter in parameters], dim=1)


def put_apart(values: Tensor, parameters: Sequence[Tensor]) -> None:
    """Copy (members, letters) back into the parameters: the inverse of `side_by_side`."""
    for parameter, part in zip(parameters, split_like(values, parameters), strict=True):
        parameter.detach().copy_(part.reshape(parameter.shape))
