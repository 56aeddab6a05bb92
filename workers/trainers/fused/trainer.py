"""The torch stages with `execution: compiled` on a GPU with Triton: a segment is one kernel, whatever its steps.

Eager and CUDA graphs read and write arrays of (members, points) some forty times a step, so the GPU's memory decides
their speed. Here the points of a member stay in the registers of the warps that train it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workers.trainers.compiled.matrix_trainer import MatrixTrainer
from workers.trainers.contract import Array, Member
from workers.trainers.fused.numbers import log_betas_of, numbers_of
from workers.trainers.tensors.transfer import begin_download, upload

LARGEST_BLOCK = 2048
"""Points that are in registers at once; of more, the others are read again at each step."""

WARPS = {torch.float32: 1, torch.float64: 2}
"""The threads of these hold up to 64 or 32 points each, in 128 registers of at most 255. More warps a member train a
lone job hardly faster, and a wide pack slower: they repeat what is done once a step."""

WARPS_OF_MANY_BLOCKS = 8
DRAWN = 1024  # steps that an `OrderPlan` draws at once


class Trainer(MatrixTrainer):
    """Launches one kernel a segment. Its bits follow from a member's own numbers and the number of points."""

    stride = 1

    def __init__(self, members: Sequence[Member], device: str) -> None:
        super().__init__(members, device)
        self.numbers = self.on_device(numbers_of(self.members)).contiguous()
        self.log_betas = upload(log_betas_of(self.members), device, torch.float64)
        self._slots = [*self.slots.values(), *(torch.zeros_like(self.weights) for _ in range(2))][:2]

    def prepare(self) -> None:
        """Compile the kernel, by a launch that does no step."""
        self._launch(0, self._updates(), self._orders(0, 0))

    def queue(self, begin: int, end: int) -> Callable[[], Array]:
        """Queue the updates `begin` to `end` - 1. The result, when called, waits for their losses, (steps, members)."""
        orders = self._orders(begin, end)
        losses = begin_download(self._launch(end - begin, self._updates(), orders))
        self.updates += end - begin
        if orders is not None:
            self.updates[:, -1] += (orders >= 4).sum(axis=0) - (end - begin)
        return lambda: losses().T

    def _launch(self, steps: int, updates: Tensor, orders: Array | None) -> Tensor:
        """The losses, (members, steps)."""
        from workers.trainers.fused.kernel.train import train

        losses = torch.empty((self.width, steps), dtype=self.dtype, device=self.device)
        mean = self.members[0]["loss"]["reduction"] == "mean"
        orders_there = updates if orders is None else upload(orders, self.device, torch.int8)
        train[(self.width,)](
            self.x, self.y, orders_there, self.numbers, self.log_betas, updates, self.weights, *self._slots, losses,
            steps, self.points, self.points if mean else 1, _stride(self.x), _stride(self.y), **self._constants(),
        )  # fmt: skip
        return losses

    def _constants(self) -> dict[str, Any]:
        """What the kernel is compiled for."""
        block = min(LARGEST_BLOCK, max(32, 1 << (self.points - 1).bit_length()))
        optimizer = self.members[0]["optimizer"]
        return {
            "FAMILY": {"function": "legendre", "dynamic": "dynamic"}.get(self.stage, "polynomial"),
            "LOSS": self.members[0]["loss"]["name"], "RULE": optimizer["name"], "MOMENTUM": "momentum" in self.slots,
            "COUNT": len(self.coefficient_names), "BLOCK": block, "POINTS": self.points if self.points <= block else 0,
            "num_warps": WARPS[self.dtype] if self.points <= block else WARPS_OF_MANY_BLOCKS, "num_stages": 1,
        }  # fmt: skip

    def _updates(self) -> Tensor:
        """How often the first weight and the last were updated, (members, 2)."""
        return upload(np.ascontiguousarray(self.updates[:, [0, -1]]), self.device, torch.float64)

    def _orders(self, begin: int, end: int) -> Array | None:
        """The orders of these steps, (steps, members); None of a stage that draws none."""
        if self.stage != "dynamic":
            return None
        blocks = [self.plan.orders(each, min(DRAWN, end - each)) for each in range(begin, end, DRAWN)]
        return np.concatenate([*blocks, np.empty((0, self.width))]).astype(np.int8)


def _stride(rows: Tensor) -> int:
    """From one member's points to the next one's, 0 where all members have the same row."""
    return rows.shape[-1] if len(rows) > 1 else 0
