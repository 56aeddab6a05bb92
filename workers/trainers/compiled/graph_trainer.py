"""The base of `execution: compiled` of the torch stages: several steps are one function of a pack's tensors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from workers.trainers.compiled.families import FAMILIES
from workers.trainers.compiled.graphs import Inputs, Steps
from workers.trainers.contract import Array, Member
from workers.trainers.inputs.parameters import DRAWS, Floats, coefficients_of_degree
from workers.trainers.losses.written_out import WrittenOutLoss, thresholds
from workers.trainers.models.order_plan import OrderPlan
from workers.trainers.models.torch_trainer import TorchTrainer
from workers.trainers.optimizers.member_optimizers import KINDS, slot_names
from workers.trainers.optimizers.update_rules import Settings, Slots
from workers.trainers.stage4_function import START
from workers.trainers.tensors.transfer import begin_download, upload

DESCENT = {"name": "sgd", "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}
LEAST_WIDTH = 2  # torch compiles a program of its own for axes of length 1


class GraphTrainer(TorchTrainer):
    """Holds `weights` (members, coefficients) and the optimizer's `slots` by name, each (members, coefficients)."""

    stride = 10  # steps of one graph; more would compile longer and save little

    def __init__(self, members: Sequence[Member], device: str) -> None:
        self.stage, self.real_width = members[0]["stage"], len(members)
        family = FAMILIES[self.stage]
        members = [{"optimizer": DESCENT, **member} for member in members]
        if self.stage == "function":
            members = [{**member, "init": START} if member["init"] == "default" else member for member in members]
        members += members[:1] * (LEAST_WIDTH - len(members))
        degree = members[0].get("degree", family.highest)
        super().__init__(members, device, family.coefficient_names or coefficients_of_degree(degree))
        self.family = family
        self.weights = self.initial_weights(DRAWS.get(self.stage, "normal")).squeeze(-1).T.contiguous()
        self.basis = self.powers_of_x(degree)
        self.criterion = WrittenOutLoss(torch, members, self.y.shape[-1], self.as_column(thresholds(members)))
        self.settings = Settings(members, self.dtype, device)
        self.rule = KINDS[members[0]["optimizer"]["name"]].rule(self.settings)
        names = [name for name in slot_names(members[0]) if name != "step"]
        self.slots: Slots = {name: torch.zeros_like(self.weights) for name in names}
        self.updates = np.zeros((self.width, len(self.coefficient_names)))
        self.plan = OrderPlan(members)

    @abstractmethod
    def advance(self, inputs: Inputs) -> Steps:
        """Do `stride` steps with these inputs. The losses are new storage; the next call may overwrite the rest."""

    def run(self, begin: int, end: int) -> Array:
        """Do the updates `begin` to `end` - 1; the losses, (steps, members), each of the weights before its update."""
        return self.queue(begin, end)()

    def queue(self, begin: int, end: int) -> Callable[[], Array]:
        """Queue the updates `begin` to `end` - 1. The result, when called, waits for their losses, (steps, members)."""
        losses = []
        for start in range(begin, end, self.stride):
            count = min(self.stride, end - start)
            done, self.weights, self.slots = self.advance(self.inputs(start, count))
            losses.append(done[:count])
        return begin_download(torch.cat(losses)[:, : self.real_width])

    def inputs(self, start: int, count: int) -> Inputs:
        """The inputs of the graph of steps `start` to `start + stride` - 1. Only the first `count` steps are done."""
        counts = np.arange(self.stride) < count
        terms = self._terms(start) if self.stage == "dynamic" else None
        numbers = self._numbers(count, terms)
        return Inputs(
            numbers, None if terms is None else self.on_device(terms), upload(counts, self.device, torch.bool)
        )

    def _terms(self, start: int) -> Floats:
        drawn = self.plan.orders(start, self.stride)
        return (drawn[..., np.newaxis] >= [4, 5]).astype(np.float64)

    def _numbers(self, count: int, terms: Floats | None) -> list[Tensor]:
        """The rule's numbers of each step. Advances the members' counts of updates by the steps that are done."""
        made: list[list[Floats]] = []
        for step in range(self.stride):
            after = self.updates + 1
            if terms is not None:
                after[:, 4] = self.updates[:, 4] + terms[step, :, 0]
            made.append(self._numbers_of(np.maximum(after, 1)))
            if step < count:
                self.updates = after
        return [self.on_device(np.stack(each)) for each in zip(*made, strict=True)]

    def _numbers_of(self, updates: Floats) -> list[Floats]:
        always = self.rule.numbers(updates[:, 0])
        if self.stage != "dynamic":
            return [each[:, np.newaxis] for each in always]
        last = self.rule.numbers(updates[:, 4])
        return [np.stack([each] * 4 + [other], axis=1) for each, other in zip(always, last, strict=True)]

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
