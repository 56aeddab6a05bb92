"""The torch stages with `execution: compiled` on a GPU with Triton: a segment is one kernel, whatever its steps.

Eager and CUDA graphs read and write arrays of (members, points) some forty times a step, so the GPU's memory decides
their speed. Here the points of a member stay in the registers of the warps that train it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from gradyard.jobs.numbers.draws import Stream
from workers.trainers.compiled.matrix_trainer import MatrixTrainer
from workers.trainers.contract import Array, Member
from workers.trainers.fused.numbers import log_betas_of, numbers_of
from workers.trainers.tensors.transfer import begin_download, download, upload

LARGEST_BLOCK = 2048
"""Points that are in registers at once; of more, the others are read again at each step."""

WARPS = {torch.float32: 1, torch.float64: 2}
"""The threads of these hold up to 64 or 32 points each, in 128 registers of at most 255. More warps a member train a
lone job hardly faster, and a wide pack slower: they repeat what is done once a step."""

WARPS_OF_MANY_BLOCKS = {torch.float32: 4, torch.float64: 8}
"""Twice as many train a lone job of a million points 8 % faster, and a wide pack at half the speed; half of them have
too few registers."""

MEMBERS_OF_A_DRAW = 128  # of one program that draws their orders


class Trainer(MatrixTrainer):
    """Launches one kernel a segment. Its bits follow from a member's own numbers and the number of points."""

    stride = 1

    def __init__(self, members: Sequence[Member], device: str) -> None:
        super().__init__(members, device)
        self.numbers = self.on_device(numbers_of(self.members)).contiguous()
        self.log_betas = upload(log_betas_of(self.members), device, torch.float64)
        seeds = np.array([member["seed"] for member in members], dtype=np.uint64).view(np.int64)
        self.seeds = upload(seeds, device, torch.int64)
        self.block = min(LARGEST_BLOCK, max(32, 1 << (self.points - 1).bit_length()))
        self.x, self.y = self._in_blocks(self.x), self._in_blocks(self.y)
        self._slots = [*self.slots.values(), *(torch.zeros_like(self.weights) for _ in range(2))][:2]
        self._counts = self._upload_counts()

    def _in_blocks(self, rows: Tensor) -> Tensor:
        """(rows, whole blocks and one more) of (rows, points): the kernel reads a block ahead."""
        length = -(-self.points // self.block) * self.block
        return pad(rows, (0, length + (self.block if length > self.block else 0) - self.points))

    def prepare(self) -> None:
        """Compile the kernel, by a launch that does no step."""
        self.launch(0, 0)

    def queue(self, begin: int, end: int) -> Callable[[], Array]:
        """Queue the updates `begin` to `end` - 1. The result, when called, waits for their losses, (steps, members)."""
        losses = begin_download(self.launch(begin, end - begin))
        return lambda: losses().T

    def state(self) -> dict[str, Array]:
        first, last = download(self._counts).T
        self.updates[:, :-1], self.updates[:, -1] = first[:, np.newaxis], last
        return super().state()

    def load_state(self, arrays: Mapping[str, Array]) -> None:
        super().load_state(arrays)
        self._counts = self._upload_counts()

    def _upload_counts(self) -> Tensor:
        """How often the first weight and the last were updated, (members, 2)."""
        return upload(np.ascontiguousarray(self.updates[:, [0, -1]]), self.device, torch.float64)

    def launch(self, begin: int, steps: int) -> Tensor:
        """Queue so many updates from `begin` on. Their losses, (members, steps), stay on the device."""
        from workers.trainers.fused.kernel.train import train

        losses = torch.empty((self.width, steps), dtype=self.dtype, device=self.device)
        train[(self.width,)](
            self.x, self.y, self._orders(begin, steps), self.numbers, self.log_betas, self._counts, self.weights,
            *self._slots, losses, steps, self.points, self._blocks(self.x), self._blocks(self.y), **self._constants(),
        )  # fmt: skip
        return losses

    def _blocks(self, rows: Tensor) -> int:
        """From one member's points to the next one's, in blocks; 0 where all members have the same row."""
        return rows.shape[-1] // self.block if len(rows) > 1 else 0

    def _constants(self) -> dict[str, Any]:
        """What the kernel is compiled for."""
        loss, optimizer = self.members[0]["loss"], self.members[0]["optimizer"]
        one_block = self.points <= self.block
        return {
            "FAMILY": {"function": "legendre", "dynamic": "dynamic"}.get(self.stage, "polynomial"),
            "LOSS": loss["name"], "MEAN": loss["reduction"] == "mean", "RULE": optimizer["name"],
            "MOMENTUM": "momentum" in self.slots, "COUNT": len(self.coefficient_names), "BLOCK": self.block,
            "POINTS": self.points if one_block else 0,
            "num_warps": WARPS[self.dtype] if one_block else WARPS_OF_MANY_BLOCKS[self.dtype], "num_stages": 1,
        }  # fmt: skip

    def _orders(self, begin: int, steps: int) -> Tensor:
        """The orders of these steps, (steps, members); empty of a stage that draws none."""
        drawn = steps if self.stage == "dynamic" else 0
        orders = torch.empty((drawn, self.width), dtype=torch.int8, device=self.device)
        if drawn:
            from workers.trainers.fused.kernel.orders import draw_orders

            draws = (begin + steps - 1) // 4 - begin // 4 + 1
            draw_orders[(-(-self.width // MEMBERS_OF_A_DRAW), draws)](
                orders, self.seeds, begin, steps, self.width, STREAM=int(Stream.ORDER), BLOCK=MEMBERS_OF_A_DRAW
            )
        return orders
