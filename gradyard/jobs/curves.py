"""Loss curves as arrays: their summary, and a selection of fewer points that keeps minima and maxima."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np


@dataclass
class Summary:
    """The figures of a curve that grows chunk by chunk. Fields are columns of `jobs`."""

    loss_first: float | None = None
    loss_last: float | None = None
    loss_min: float | None = None
    loss_min_step: int | None = None
    setup_seconds: float = 0.0
    train_seconds: float = 0.0
    records: int = 0

    def take(self, losses: np.ndarray, start_step: int) -> None:
        """Add the next chunk: finite losses, shape (steps,), from `start_step` on."""
        if not len(losses):
            return
        lowest = int(losses.argmin())
        if start_step == 0:
            self.loss_first = float(losses[0])
        if self.loss_min is None or losses[lowest] < self.loss_min:
            self.loss_min, self.loss_min_step = float(losses[lowest]), start_step + lowest
        self.loss_last = float(losses[-1])

    def columns(self) -> dict[str, Any]:
        """The figures by column, for an UPDATE."""
        return dict(vars(self))  # asdict copies deeply, and takes ten times as long


def reduce(losses: np.ndarray, points: int) -> np.ndarray:
    """The steps, at most `points` of them, that keep first, last, and the lowest and highest of every interval.

    losses: (steps,). Min-max decimation: the curve drawn through these steps covers the same pixels.
    """
    if len(losses) <= points:
        return np.arange(len(losses))
    intervals = max(1, (points - 2) // 2)
    edges = np.linspace(0, len(losses), intervals + 1).astype(np.int64)
    lows = np.array([begin + losses[begin:end].argmin() for begin, end in pairwise(edges)])
    highs = np.array([begin + losses[begin:end].argmax() for begin, end in pairwise(edges)])
    steps = np.unique(np.concatenate([[0, len(losses) - 1], lows, highs]))
    return steps if points >= 4 else np.array([0, len(losses) - 1])[:points]
