"""The linear model of stages 5 and 6: torch.nn.Linear over (x, x^2, x^3, ...) for each member of a pack."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from workers.trainers.contract import Member
from workers.trainers.inputs.parameters import coefficients_of_degree
from workers.trainers.losses.member_loss import MemberLoss
from workers.trainers.models.torch_trainer import TorchTrainer
from workers.trainers.tensors.device_workspace import AnyWorkspace
from workers.trainers.tensors.row_sums import along_points, is_on_gpu

ADDED_FROM_THE_LEFT = range(1, 5)  # so many terms torch's sum adds as a loop would; of more it makes several sums


class PackedLinear(torch.nn.Module):
    """What torch.nn.Linear(degree, 1) is to one job, for all members: `weight` (members, degree, 1), `bias`
    (members, 1, 1).

    It multiplies and adds instead of calling a matrix product, whose rounding would depend on the width of the pack.
    With a workspace it does so term by term.
    """

    def __init__(self, bias: Tensor, weight: Tensor, workspace: AnyWorkspace | None) -> None:
        super().__init__()
        self._workspace = workspace
        self.bias = torch.nn.Parameter(bias)
        self.weight = torch.nn.Parameter(weight)

    def forward(self, powers: Tensor) -> Tensor:
        """(members, 1, points) for powers of (members or 1, degree, points)."""
        points = powers.shape[-1]
        if self._workspace is not None:
            rows = self._workspace.linear(self.weight.unbind(1), powers.unbind(1), self.bias.squeeze(1))
            return rows.unsqueeze(1)
        terms = along_points(self.weight, points) * powers
        return terms.sum(1, keepdim=True) + along_points(self.bias, points)


class LinearTrainer(TorchTrainer):
    """Holds `model`, its input `xx`, (members or 1, degree, points), and `loss_fn`, (members,)."""

    def __init__(self, members: Sequence[Member], device: str) -> None:
        degree = members[0]["degree"]
        super().__init__(members, device, coefficients_of_degree(degree))
        bias, weight = self.initial_weights("linear").movedim(0, 1).split([1, degree], dim=1)
        fits = degree in ADDED_FROM_THE_LEFT or is_on_gpu(self.y)
        self.workspace = self.workspace_for_pack() if fits else None
        self.xx = self.padded(self.powers_as_inputs(degree))
        self.model = torch.nn.Sequential(
            PackedLinear(bias.contiguous(), weight.contiguous(), self.workspace),
            torch.nn.Flatten(1, 2),
        )
        # Degree 0 leaves the weight empty, and nothing to update.
        self.parameters = [parameter for parameter in self.model.parameters() if parameter.numel()]
        self.loss_fn = MemberLoss(members, self.as_column, self.workspace)
        self.y = self.padded(self.y).expand(self.width, -1)

    def powers_as_inputs(self, degree: int) -> Tensor:
        """x^1 to x^degree by one call of `pow` for each x, as in the tutorial; (members or 1, degree, points)."""
        p = torch.arange(1, degree + 1).unsqueeze(-1)
        return torch.stack([row.pow(p) for row in self.x.cpu()]).to(self.device)
