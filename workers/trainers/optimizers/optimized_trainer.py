"""The base of stages 6, 7 and 8: the slots of their optimizers belong to their state."""

from __future__ import annotations

from collections.abc import Mapping

from workers.trainers.contract import Array
from workers.trainers.models.torch_trainer import TorchTrainer
from workers.trainers.optimizers.member_optimizers import KeepsSlots, slot_names


class OptimizedTrainer(TorchTrainer):
    """Its state has, beside the weights, an array for each slot and coefficient: "momentum.a"."""

    optimizer: KeepsSlots

    def state(self) -> dict[str, Array]:
        state = super().state()
        for name, slot in self.optimizer.slots().items():
            state |= self.by_coefficient(slot, f"{name}.")
        return state

    def load_state(self, arrays: Mapping[str, Array]) -> None:
        super().load_state(arrays)
        slots = {name: self.from_coefficients(arrays, f"{name}.") for name in slot_names(self.members[0])}
        self.optimizer.load_slots(slots)
