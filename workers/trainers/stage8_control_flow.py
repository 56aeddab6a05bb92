"""Stage 8, `dynamic`: control flow decides at every step which terms there are, and two of them share a weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from workers.trainers.contract import Losses, Member
from workers.trainers.losses.member_loss import MemberLoss
from workers.trainers.models.order_plan import ALL, EXPONENTS, NO_MEMBER, OrderPlan, Term
from workers.trainers.models.polynomial import dynamic_formula, polynomial
from workers.trainers.optimizers.masked_optimizer import MaskedOptimizer
from workers.trainers.optimizers.optimized_trainer import OptimizedTrainer
from workers.trainers.tensors.device_workspace import AnyWorkspace, DeviceWorkspace

COEFFICIENTS = "abcde"
HIGHEST_ORDER = 5


class DynamicNet(torch.nn.Module):
    """a + b x + c x^2 + d x^3, then e x^4 and e x^5 up to a member's order of this step."""

    def __init__(self, weights: Tensor, workspace: AnyWorkspace | None) -> None:
        super().__init__()
        self._workspace = workspace
        self.a, self.b, self.c, self.d, self.e = (torch.nn.Parameter(weight.clone()) for weight in weights)
        self._always = [self.a, self.b, self.c, self.d]

    def forward(self, powers: Sequence[Tensor], terms: Sequence[Term]) -> Tensor:
        """(members, points) for x^0 to x^5 of (members or 1, points) each, and this step's terms beyond x^3."""
        if isinstance(self._workspace, DeviceWorkspace):
            return self._workspace.weighted_sum([self.b, self.c, self.d, *self._shared(terms)], powers[1:], self.a)
        e, y = self.e, polynomial(self._always, powers[:4], self._workspace)
        for exponent, (rows, _) in terms:
            power = powers[exponent]
            if rows is ALL:
                y += e * power
            else:
                # The other rows must have no gradient at all; e times zero would give them one.
                chosen = torch.from_numpy(rows).to(y.device)
                y.index_add_(0, chosen, e.index_select(0, chosen) * (power if len(power) == 1 else power[chosen]))
        return y

    def _shared(self, terms: Sequence[Term]) -> list[Tensor]:
        """The weights of x^4 and x^5, zeros for members without the term: to choose rows, a GPU would have to wait."""
        there = dict(terms)
        weights = []
        for exponent in EXPONENTS:
            if (those := there.get(exponent)) is None:
                weights.append(torch.zeros_like(self.e))
            else:
                weights.append(self.e if those.rows is ALL else self.e * those.mask)
        return weights


class Trainer(OptimizedTrainer):
    """Unlike stage 7, the forward pass differs at every step, so `e` has a gradient at some steps only."""

    def __init__(self, members: Sequence[Member], device: str) -> None:
        super().__init__(members, device, COEFFICIENTS)
        self.workspace = self.workspace_for_pack()
        self.powers = self.padded(self.powers_of_x(HIGHEST_ORDER)).unbind()
        self.y = self.padded(self.y).expand(self.width, -1)
        self.plan = OrderPlan(members, device)
        self.model = DynamicNet(self.initial_weights(), self.workspace)
        self.parameters = list(self.model.parameters())
        self.criterion = MemberLoss(members, self.as_column, self.workspace)
        *always, e = self.parameters
        self.optimizer: MaskedOptimizer = MaskedOptimizer(always, e, members)

    def step(self, t: int) -> Losses:
        terms = self.plan.terms(t)
        # forward
        y_pred = self.model(self.powers, terms)
        loss = self.criterion(y_pred, self.y)
        # backward
        self.optimizer.zero_grad()
        loss.backward(self.ones)
        # update
        self.optimizer.step(terms[0].participants if terms else NO_MEMBER)
        return loss.detach()

    def formula(self, coefficients: Mapping[str, float]) -> str:
        return dynamic_formula(coefficients)
