"""The base of `execution: compiled` of the torch stages: several steps are one function of a pack's tensors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from workers.trainers.compiled.graphs import Inputs, Steps
from workers.trainers.compiled.matrix_trainer import MatrixTrainer
from workers.trainers.contract import Array, Member
from workers.trainers.inputs.parameters import Floats
from workers.trainers.losses.written_out import WrittenOutLoss, thresholds
from workers.trainers.optimizers.member_optimizers import KINDS
from workers.trainers.optimizers.update_rules import Settings
from workers.trainers.tensors.transfer import begin_download, upload


class GraphTrainer(MatrixTrainer):
    """Trains by a function of tensors that does `stride` steps."""

    stride = 10  # steps of one graph; more would compile longer and save little
    least_width = 2  # torch compiles a program of its own for axes of length 1

    def __init__(self, members: Sequence[Member], device: str) -> None:
        super().__init__(members, device)
        self.basis = self.powers_of_x(self.degree)
        self.criterion = WrittenOutLoss(torch, self.members, self.y.shape[-1], self.as_column(thresholds(self.members)))
        self.settings = Settings(self.members, self.dtype, device)
        self.rule = KINDS[self.members[0]["optimizer"]["name"]].rule(self.settings)

    @abstractmethod
    def advance(self, inputs: Inputs) -> Steps:
        """Do `stride` steps with these inputs. The losses are new storage; the next call may overwrite the rest."""

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
            numbers, None if terms is None else self.as_input(terms, self.dtype), self.as_input(counts, torch.bool)
        )

    def as_input(self, values: Array, dtype: torch.dtype) -> Tensor:
        """An input as `advance` takes it: on the device."""
        return upload(values, self.device, dtype)

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
        return [self.as_input(np.stack(each), self.dtype) for each in zip(*made, strict=True)]

    def _numbers_of(self, updates: Floats) -> list[Floats]:
        always = self.rule.numbers(updates[:, 0])
        if self.stage != "dynamic":
            return [each[:, np.newaxis] for each in always]
        last = self.rule.numbers(updates[:, 4])
        return [np.stack([each] * 4 + [other], axis=1) for each, other in zip(always, last, strict=True)]
