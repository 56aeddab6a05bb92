"""Stage 6, `optim`: an optimizer from torch.optim does the update."""

from __future__ import annotations

from collections.abc import Sequence

from workers.trainers.contract import Losses, Member
from workers.trainers.models.linear import LinearTrainer
from workers.trainers.optimizers.member_optimizers import MemberOptimizer, optimizer_of
from workers.trainers.optimizers.optimized_trainer import OptimizedTrainer


class Trainer(OptimizedTrainer, LinearTrainer):
    """Unlike stage 5, an `optimizer` does the update."""

    def __init__(self, members: Sequence[Member], device: str) -> None:
        super().__init__(members, device)
        self.optimizer: MemberOptimizer = optimizer_of(self.parameters, members)

    def step(self, t: int) -> Losses:
        # forward
        y_pred = self.model(self.xx)
        loss = self.loss_fn(y_pred, self.y)
        # backward
        self.optimizer.zero_grad()
        loss.backward(self.ones)
        # update
        self.optimizer.step()
        return loss.detach()
