"""Which members use their shared weight at a step of stage 8, drawn ahead in blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gradyard.jobs.numbers.draws import orders
from workers.trainers.contract import Member
from workers.trainers.tensors.transfer import upload

# Steps drawn at a time. The draws are a function of the step, so this number changes no value.
_BLOCK = 1024


ALL = None


class Participants(NamedTuple):
    """The members that take part in a term: their rows in the pack, or `ALL`; and their mask, (members, 1).

    The mask is on the trainer's device. It is not used for `ALL`.
    """

    rows: npt.NDArray[np.int64] | None
    mask: Tensor


EVERY_MEMBER = Participants(ALL, torch.ones((1, 1), dtype=torch.bool))
NO_MEMBER = Participants(np.empty(0, dtype=np.int64), torch.zeros((1, 1), dtype=torch.bool))

EXPONENTS = (4, 5)


class Term(NamedTuple):
    """e x^exponent, and the members whose polynomial has it at this step."""

    exponent: int
    participants: Participants


class OrderPlan:
    """The terms beyond x^3 at every step of every member: none, x^4, or x^4 and x^5."""

    def __init__(self, members: Sequence[Member], device: str = "cpu") -> None:
        self._device = device
        self._seeds = [member["seed"] for member in members]
        self._begin = self._end = 0

    def terms(self, t: int) -> list[Term]:
        """The terms of step `t` that any member has. A member with the second also has the first."""
        if not self._begin <= t < self._end:
            self._draw(t)
        step = t - self._begin
        return [
            Term(exponent, self._participants_of(exponent, step))
            for exponent in EXPONENTS
            if self._counts[exponent][step]
        ]

    def orders(self, begin: int, count: int) -> npt.NDArray[np.int64]:
        """The orders of `count` steps from `begin` on, at most 1024: (count, members)."""
        if not self._begin <= begin <= begin + count <= self._end:
            self._draw(begin)
        return self._orders[begin - self._begin :][:count]

    def _draw(self, begin: int) -> None:
        self._begin, self._end = begin, begin + _BLOCK
        drawn = {seed: orders(seed, begin, _BLOCK) for seed in self._seeds}
        self._orders = np.stack([drawn[seed] for seed in self._seeds], axis=1)
        taking = {exponent: self._orders >= exponent for exponent in EXPONENTS}
        self._counts = {exponent: each.sum(axis=1).tolist() for exponent, each in taking.items()}
        self._masks = {
            exponent: upload(each, self._device, torch.bool).unsqueeze(-1) for exponent, each in taking.items()
        }

    def _participants_of(self, exponent: int, step: int) -> Participants:
        if self._counts[exponent][step] == len(self._seeds):
            return EVERY_MEMBER
        return Participants(np.flatnonzero(self._orders[step] >= exponent), self._masks[exponent][step])
