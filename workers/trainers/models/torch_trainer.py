"""The base of the seven torch stages: their data as tensors, and their state to and from numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from workers.trainers.contract import Array, Losses, Member
from workers.trainers.inputs.parameters import Floats, column, initial_weights
from workers.trainers.inputs.torch_datasets import torch_dtype, torch_rows
from workers.trainers.models.coefficients import CoefficientsTrainer
from workers.trainers.models.polynomial import powers_of
from workers.trainers.tensors.device_workspace import AnyWorkspace, DeviceWorkspace
from workers.trainers.tensors.memory import keep_freed_memory
from workers.trainers.tensors.row_sums import is_on_gpu
from workers.trainers.tensors.transfer import begin_download, download, flatten, unflatten, upload
from workers.trainers.tensors.workspace import Workspace

WORKSPACE_FROM_BYTES = 100_000  # of an array; smaller ones are in the cache anyway, and a workspace costs operations


class TorchTrainer(CoefficientsTrainer):
    """Holds `x` and `y`, (members or 1, points), and `ones`, (members,), the gradient that `backward` starts with.

    `parameters` are tensors (members, ...) that, flattened together, hold the weights in the order of the coefficients.
    """

    parameters: Sequence[Tensor]
    workspace: AnyWorkspace | None = None
    step: Callable[[int], Losses]  # of eager stages; a graph has none

    def __init__(self, members: Sequence[Member], device: str, coefficient_names: Sequence[str]) -> None:
        keep_freed_memory()
        x, y = torch_rows(members)
        self.members = members
        self.coefficient_names = coefficient_names
        self.width = len(members)
        self.device = device
        self.works_ahead = device.startswith("cuda")
        self.dtype = torch_dtype(members)
        self.x = torch.stack(x).to(device)
        self.y = torch.stack(y).to(device)
        self.points = self.y.shape[-1]
        self.ones = torch.ones(self.width, dtype=self.dtype, device=device)

    def workspace_for_pack(self) -> AnyWorkspace | None:
        """The workspace of a large pack on a CPU, or of any on a GPU, whose x, y and powers it pads; else None.

        A model that is a constant has none on a GPU: it has nothing to add up.
        """
        if is_on_gpu(self.y):
            several = len(self.coefficient_names) > 1
            return DeviceWorkspace(self.width, self.points, self.dtype, self.y.device) if several else None
        large = self.width > 1 and self.width * self.points * self.y.itemsize >= WORKSPACE_FROM_BYTES
        return Workspace(self.width, self.points, self.dtype) if large else None

    def padded(self, rows: Tensor) -> Tensor:
        """Rows of (..., points) as the workspace, if there is one, computes with them."""
        return rows if self.workspace is None else self.workspace.padded(rows)

    def on_device(self, values: Floats) -> Tensor:
        """A float64 array as a tensor in the pack's dtype, on its device."""
        return upload(values, self.device, self.dtype)

    def as_column(self, values: Floats) -> Tensor:
        """One number of every member as a tensor (members, 1)."""
        return self.on_device(values).unsqueeze(1)

    def column(self, *path: str) -> Tensor:
        """The number found by `path` in every member's parameters, (members, 1)."""
        return self.as_column(column(self.members, *path))

    def initial_weights(self, default: str = "normal") -> Tensor:
        """The weights before step 0, (coefficients, members, 1)."""
        return self.on_device(initial_weights(self.members, self.coefficient_names, default)).contiguous().unsqueeze(-1)

    def powers_of_x(self, degree: int) -> Tensor:
        """x^0 to x^degree, (degree + 1, members or 1, points)."""
        rows = [torch.stack(powers_of(row, degree)) for row in self.x.cpu()]
        return torch.stack(rows, dim=1).to(self.device)

    def state(self) -> dict[str, Array]:
        """The weights by coefficient, each (members,)."""
        return self.by_coefficient(flatten(self.parameters))

    def load_state(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `state`."""
        unflatten(self.from_coefficients(arrays), self.parameters)

    def by_coefficient(self, values: Tensor, prefix: str = "") -> dict[str, Array]:
        """(members, coefficients) as one numpy copy for each coefficient, named by prefix and coefficient."""
        columns = download(values).T
        return {
            prefix + coefficient: row.copy() for coefficient, row in zip(self.coefficient_names, columns, strict=True)
        }

    def from_coefficients(self, arrays: Mapping[str, Array], prefix: str = "") -> Tensor:
        """The inverse of `by_coefficient`."""
        columns = [
            torch.from_numpy(self.row(arrays, prefix + coefficient).copy()) for coefficient in self.coefficient_names
        ]
        return torch.stack(columns, dim=1).to(self.device)

    def stack_losses(self, losses: Sequence[Losses]) -> Array:
        """(steps, members) in numpy; the only wait for the device."""
        return download(torch.stack(list(losses)))  # type: ignore[arg-type]

    def queue(self, begin: int, end: int) -> Callable[[], Array]:
        """Queue the updates `begin` to `end` - 1. The result, when called, waits for their losses, (steps, members)."""
        return begin_download(torch.stack([self.step(t) for t in range(begin, end)]))  # type: ignore[misc]
