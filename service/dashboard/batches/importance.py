"""How much of what came out each parameter explains by itself."""

from collections.abc import Mapping, Sequence

import numpy as np

FEWEST_RUNS = 8
MOST_VALUES = 12  # distinct numbers of which each is a group of its own
BINS = 10
Value = float | str | None


def importance(parameters: Mapping[str, Sequence[Value]], outcome: np.ndarray) -> dict[str, float]:
    """The share of the variance of the outcome's ranks that each parameter explains alone, from 0 to 1.

    outcome: (runs,), NaN where a run has none; what is infinite is the worst or best of all. The runs are grouped by
    the parameter's value, numbers with many values into ten groups of about one size. The share is that between the
    groups, less what groups drawn by lot would have (epsilon squared of Kruskal and Wallis). Ranks, so that one run
    that is far off does not decide. Empty for fewer than eight runs, or where all came out the same.
    """
    there = ~np.isnan(outcome)
    ranks = _ranks(outcome[there])
    if len(ranks) < FEWEST_RUNS or not np.ptp(ranks):
        return {}
    chosen = np.flatnonzero(there).tolist()
    shares = {name: _share(_groups([values[place] for place in chosen]), ranks) for name, values in parameters.items()}
    return dict(sorted(shares.items(), key=lambda each: -each[1]))


def _ranks(values: np.ndarray) -> np.ndarray:
    """From 1 on; equal values share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _groups(values: Sequence[Value]) -> np.ndarray:
    """The number of the group of each value."""
    are_numbers = np.array([value is not None and not isinstance(value, str) for value in values], np.bool_)
    numbers = np.array([value for value, is_number in zip(values, are_numbers, strict=True) if is_number], np.float64)
    others = [value for value, is_number in zip(values, are_numbers, strict=True) if not is_number]
    distinct, place = np.unique(numbers, return_inverse=True)
    if len(distinct) > MOST_VALUES:
        edges = np.unique(np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1]))
        place = np.searchsorted(edges, numbers, side="right")
    known = {value: len(distinct) + BINS + number for number, value in enumerate(dict.fromkeys(others))}
    groups = np.empty(len(values), np.int64)
    groups[are_numbers], groups[~are_numbers] = place, [known[value] for value in others]
    return groups


def _share(groups: np.ndarray, ranks: np.ndarray) -> float:
    _, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    if not 1 < len(counts) < len(ranks):
        return 0.0
    means = np.bincount(place, ranks) / counts
    whole = float(((ranks - ranks.mean()) ** 2).sum())
    within = float(((ranks - means[place]) ** 2).sum())
    by_lot = (len(counts) - 1) * within / (len(ranks) - len(counts))
    return max(0.0, (whole - within - by_lot) / whole)
