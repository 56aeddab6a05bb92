"""The optimizer of stage 8: a member whose forward pass did not use a weight must not update it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from workers.trainers.contract import Member
from workers.trainers.models.order_plan import ALL, Participants
from workers.trainers.optimizers.member_optimizers import WrittenOutOptimizer, optimizer_of
from workers.trainers.tensors.row_sums import is_on_gpu


class MaskedOptimizer:
    """Updates `always` at every step, and `sometimes` only for members which took part.

    A skipped update leaves weight, slots and step count alone; a gradient of zero would let momentum go on.
    """

    def __init__(self, always: Sequence[Tensor], sometimes: Tensor, members: Sequence[Member]) -> None:
        self._skipped: WrittenOutOptimizer | None = None
        if len(members) == 1 and not is_on_gpu(sometimes):
            # torch.optim skips a gradient that is None, but only for all members at once.
            self._updated = optimizer_of([*always, sometimes], members)
        else:
            self._updated = optimizer_of(always, members)
            self._skipped = WrittenOutOptimizer([sometimes], members)

    def zero_grad(self) -> None:
        self._updated.zero_grad()
        if self._skipped is not None:
            self._skipped.zero_grad()

    def step(self, participants: Participants) -> None:
        """`participants` are the members that have a gradient of `sometimes`."""
        self._updated.step()
        if self._skipped is not None and (participants.rows is ALL or len(participants.rows)):
            self._skipped.step(participants)

    def slots(self) -> dict[str, Tensor]:
        """The state of the optimizer between updates, by name, each (members, coefficients)."""
        slots = self._updated.slots()
        if self._skipped is None:
            return slots
        last = self._skipped.slots()
        return {name: torch.cat([slot, last[name]], dim=1) for name, slot in slots.items()}

    def load_slots(self, slots: Mapping[str, Tensor]) -> None:
        """The inverse of `slots`."""
        if self._skipped is None:
            self._updated.load_slots(slots)
        else:
            self._updated.load_slots({name: slot[:, :-1] for name, slot in slots.items()})
            self._skipped.load_slots({name: slot[:, -1:] for name, slot in slots.items()})
