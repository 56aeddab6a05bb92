"""Loss curves as arrays: their summary, and a selection of fewer points that keeps minima and maxima."""

from bisect import bisect_left
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Curve:
    """Values at rising steps, both of shape (values,)."""

    steps: range | np.ndarray
    values: np.ndarray

    def part(self, places: slice) -> "Curve":
        """The values at these places, with their steps."""
        return Curve(self.steps[places], self.values[places])

    def points(self, most: int) -> "Curve":
        """At most so many of its values: the first, the last, and the lowest and highest of every interval."""
        drawn = self.values if np.isfinite(self.values).all() else np.nan_to_num(self.values)
        places, steps = reduce(drawn, most), self.steps
        chosen = steps.start + places * steps.step if isinstance(steps, range) else steps[places]
        return Curve(chosen, self.values[places])

    def smoothed(self, window: int) -> "Curve":
        """The mean of the `window` values around each, an odd number; at the ends of the curve of those that are there.

        Values that are not finite are left out of it.
        """
        if window == 1 or not len(self.values):
            return self
        around = np.ones(min(window, 2 * len(self.values) - 1))
        finite = np.isfinite(self.values)
        half = len(around) // 2
        middle = slice(half, half + len(self.values))
        with np.errstate(divide="ignore", invalid="ignore"):
            sums = np.convolve(np.where(finite, self.values, 0.0), around)[middle]
            means = sums / np.convolve(finite.astype(np.float64), around)[middle].round()
        return Curve(self.steps, means)

    def between(self, begin: int | None, end: int | None) -> "Curve":
        """The values of the steps from `begin` up to `end`, without it; from the end where negative, as a slice."""
        length = int(self.steps[-1]) + 1 if len(self.steps) else 0
        first, after, _ = slice(begin, end).indices(length)
        return self.part(slice(bisect_left(self.steps, first), bisect_left(self.steps, after)))


def measured_steps(start_step: int, every: int, count: int) -> np.ndarray:
    """The first `count` steps from `start_step` on that `every` divides: those of the values of a part of a metric."""
    return (-(-start_step // every) + np.arange(count)) * every


def reduce(losses: np.ndarray, points: int) -> np.ndarray:
    """The steps, at most `points` of them, that keep first, last, and the lowest and highest of every interval.

    losses: (steps,). Min-max decimation: the curve drawn through these steps covers the same pixels.
    """
    if len(losses) <= points:
        return np.arange(len(losses))
    intervals = max(1, (points - 2) // 2)
    length, longer = divmod(len(losses), intervals)  # of an interval, and how many have one more
    cut = longer * (length + 1)
    halves = (0, losses[:cut].reshape(longer, length + 1)), (cut, losses[cut:].reshape(-1, length))
    extremes = [
        begin + np.arange(len(rows)) * rows.shape[1] + chosen
        for begin, rows in halves if len(rows) for chosen in (rows.argmin(axis=1), rows.argmax(axis=1))
    ]  # fmt: skip
    steps = np.unique(np.concatenate([[0, len(losses) - 1], *extremes]))
    return steps if points >= 4 else np.array([0, len(losses) - 1])[:points]
