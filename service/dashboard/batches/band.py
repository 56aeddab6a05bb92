"""All loss curves of a batch as one band: quantiles of the loss at each of some steps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from gradyard.store.queries.page.curves_at_steps import curves_at_steps
from gradyard.store.queries.page.runs import Length

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
MOST_LOSSES = 30_000_000
"""Read for one band: 120 to 240 MB pass by, of which a two-hundredth is kept. Beyond, evenly chosen runs are read."""
MOST_KEPT = 2_000_000
"""Runs times steps, 16 MB, of which the quantiles make a few copies."""
EVEN_STEPS, EARLY_STEPS = 150, 60


@dataclass(frozen=True)
class Band:
    """At each of the steps the quantiles of the losses, (quantiles, steps), and how many runs have a loss there.

    read: how many runs were looked at, of those that have losses (`having`).
    """

    steps: np.ndarray
    losses: np.ndarray
    runs: np.ndarray
    read: int
    having: int


def band_of(connection: Connection, runs: Sequence[Length]) -> Band:
    """The band of those runs that have losses."""
    having = [run for run in runs if run.steps]
    whole, longest = sum(run.steps for run in having), max((run.steps for run in having), default=0)
    kept = len(having) * len(chosen_steps(longest))
    read = having[:: max(1, -(-whole // MOST_LOSSES), -(-kept // MOST_KEPT))]
    steps = chosen_steps(max((run.steps for run in read), default=0))
    losses = curves_at_steps(connection, [run.id for run in read], steps)
    return Band(steps, quantiles(losses), np.isfinite(losses).sum(axis=0), len(read), len(having))


def chosen_steps(longest: int) -> np.ndarray:
    """The steps of a picture of curves: even ones, and denser ones at the beginning, where losses fall."""
    if longest <= EVEN_STEPS + EARLY_STEPS:
        return np.arange(longest)
    even, early = np.linspace(0, longest - 1, EVEN_STEPS), np.geomspace(1, longest, EARLY_STEPS) - 1
    return np.unique(np.concatenate([even, early]).astype(np.int64))


def quantiles(losses: np.ndarray) -> np.ndarray:
    """QUANTILES of each column of (runs, steps), between two values in a straight line; NaN: it has none."""
    if not losses.size:
        return np.full((len(QUANTILES), losses.shape[1]), np.nan)
    ordered = np.sort(np.where(np.isfinite(losses), losses, np.nan), axis=0)  # NaN comes last
    last = np.isfinite(ordered).sum(axis=0) - 1
    place = np.outer(QUANTILES, np.maximum(last, 0))
    low = np.floor(place).astype(np.int64)
    columns = np.arange(losses.shape[1])
    below, above = ordered[low, columns], ordered[np.minimum(low + 1, np.maximum(last, 0)), columns]
    return below + (above - below) * (place - low)
