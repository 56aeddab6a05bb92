"""The torch stages with `execution: compiled` on a GPU: several steps captured as one CUDA graph, and replayed.

Launching a kernel costs the host as much as a small kernel costs the GPU; a replayed graph costs it one launch for all.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from workers.trainers.compiled.graph_trainer import GraphTrainer
from workers.trainers.compiled.graphs import Inputs, Steps, steps_of
from workers.trainers.contract import Array, Member
from workers.trainers.tensors.transfer import page_locked

WARM_UPS = 3  # as torch's notes on CUDA graphs ask for: what is made at a first call must not be captured


@contextmanager
def collected_before_not_during() -> Iterator[None]:
    """Run Python's garbage collector now, and switch it off within the block.

    CUDA refuses to free a graph while another is captured, and the capture fails. Until torch 2.8 `torch.cuda.graph`
    collected first.
    """
    was_on = gc.isenabled()
    gc.disable()
    gc.collect()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Capture:
    """Work on tensors at fixed addresses, recorded once. `replay` repeats it with the tensors' present values."""

    def __init__(self, work: Callable[[], Any]) -> None:
        """`work` really runs a few times first, so running it must do no harm."""
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UPS):
                work()
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with collected_before_not_during(), torch.cuda.graph(self._graph):
            work()

    def replay(self) -> None:
        """Queue all of it behind earlier work. Does not wait."""
        self._graph.replay()


class Trainer(GraphTrainer):
    """Weights, slots and inputs are tensors at fixed addresses: a graph knows addresses only."""

    make_capture: Callable[[Callable[[], Any]], Any] = Capture

    def __init__(self, members: Sequence[Member], device: str) -> None:
        super().__init__(members, device)
        self._steps = steps_of(self.family.model, self.stride)
        self._capture: Any = None

    def prepare(self) -> None:
        """Capture the graph, with inputs that do no step."""
        given = self.inputs(0, 0)
        terms = None if given.terms is None else given.terms.to(self.device)
        self._given = Inputs([each.to(self.device) for each in given.numbers], terms, given.counts.to(self.device))
        self._losses = torch.zeros((self.stride, self.width), dtype=self.dtype, device=self.device)
        self._capture = type(self).make_capture(self._work)

    def as_input(self, values: Array, dtype: torch.dtype) -> Tensor:
        """An input on its way: from the host's memory it goes straight to the address that the graph knows."""
        return page_locked(values, self.device, dtype)

    def advance(self, inputs: Inputs) -> Steps:
        if self._capture is None:
            self.prepare()
        for place, value in zip(_tensors_of(self._given), _tensors_of(inputs), strict=True):
            place.copy_(value, non_blocking=True)
        self._capture.replay()
        return Steps(self._losses.clone(), self.weights, self.slots)

    @torch.no_grad()
    def _work(self) -> None:
        done = self._steps(self.criterion, self.rule, self.weights, self.slots, self.basis, self.y, self._given)
        self._losses.copy_(done.losses)
        self.weights.copy_(done.weights)
        for name, slot in self.slots.items():
            slot.copy_(done.slots[name])


def _tensors_of(inputs: Inputs) -> Iterator[Tensor]:
    yield from inputs.numbers
    if inputs.terms is not None:
        yield inputs.terms
    yield inputs.counts
