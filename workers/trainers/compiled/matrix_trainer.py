"""The base of the torch stages' engines beside eager: the weights of a pack are a matrix, and so is each slot."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from gradyard.jobs.numbers.initial_weights import DRAWS
from workers.trainers.compiled.families import FAMILIES
from workers.trainers.contract import Array, Member
from workers.trainers.inputs.parameters import coefficients_of_degree
from workers.trainers.models.order_plan import OrderPlan
from workers.trainers.models.torch_trainer import TorchTrainer
from workers.trainers.optimizers.member_optimizers import slot_names
from workers.trainers.optimizers.update_rules import Slots
from workers.trainers.stage4_function import START

DESCENT = {"name": "sgd", "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}


class MatrixTrainer(TorchTrainer):
    """Holds `weights` (members, coefficients), the optimizer's `slots` by name, each (members, coefficients), and
    `updates`, how often each weight was updated. A pack narrower than `least_width` is filled up with its first member.
    """

    least_width = 1

    def __init__(self, members: Sequence[Member], device: str) -> None:
        self.stage, self.real_width = members[0]["stage"], len(members)
        family = FAMILIES[self.stage]
        members = [{"optimizer": DESCENT, **member} for member in members]
        if self.stage == "function":
            members = [{**member, "init": START} if member["init"] == "default" else member for member in members]
        members += members[:1] * (self.least_width - len(members))
        self.degree = members[0].get("degree", family.highest)
        super().__init__(members, device, family.coefficient_names or coefficients_of_degree(self.degree))
        self.family = family
        self.weights = self.initial_weights(DRAWS.get(self.stage, "normal")).squeeze(-1).T.contiguous()
        names = [name for name in slot_names(members[0]) if name != "step"]
        self.slots: Slots = {name: torch.zeros_like(self.weights) for name in names}
        self.updates = np.zeros((self.width, len(self.coefficient_names)))
        self.plan = OrderPlan(members)

    @abstractmethod
    def queue(self, begin: int, end: int) -> Callable[[], Array]:
        """See `WorksAhead.queue`."""

    def run(self, begin: int, end: int) -> Array:
        """Do the updates `begin` to `end` - 1; the losses, (steps, members), each of the weights before its update."""
        return self.queue(begin, end)()

    def state(self) -> dict[str, Array]:
        """The state of the eager stage: weights by coefficient, slots by name and coefficient, each (members,)."""
        state = self.by_coefficient(self.weights)
        for name in slot_names(self.members[0]):
            slot = torch.from_numpy(self.updates.astype(np.int64)) if name == "step" else self.slots[name]
            state |= self.by_coefficient(slot, f"{name}.")
        return {name: values[: self.real_width].copy() for name, values in state.items()}

    def load_state(self, arrays: Mapping[str, Array]) -> None:
        """The inverse of `state`."""
        padded = {name: np.resize(values, self.width) for name, values in arrays.items()}
        self.weights.copy_(self.from_coefficients(padded))
        for name in slot_names(self.members[0]):
            slot = self.from_coefficients(padded, f"{name}.")
            if name == "step":
                self.updates = slot.cpu().numpy().astype(np.float64)
            else:
                self.slots[name].copy_(slot)

    def formula(self, coefficients: Mapping[str, float]) -> str:
        return self.family.formula(coefficients)
