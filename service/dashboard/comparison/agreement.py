"""Which of some curves lie on one another."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row

from gradyard.store.queries.page.curves_at_steps import curves_at_steps
from service.dashboard.batches.band import chosen_steps

TOLERANCE = 1e-3
"""Relative. Stages that compute the same in another order, or in float32 and float64, differ by less."""
MOST_LOSSES = 2_000_000


def on_one_curve(connection: Connection, jobs: Sequence[Row[Any]]) -> list[list[int]]:
    """The places of jobs whose losses are the same at every step that is looked at, group by group, of all jobs.

    A job without losses is in no group. Empty where too many losses would have to be read.
    """
    having = [place for place, job in enumerate(jobs) if job.steps_done]
    if sum(jobs[place].steps_done for place in having) > MOST_LOSSES:
        return []
    steps = chosen_steps(max((jobs[place].steps_done for place in having), default=0))
    curves = curves_at_steps(connection, [jobs[place].id for place in having], steps)
    groups = list[list[int]]()
    for number, place in enumerate(having):
        for group in groups:
            if _agree(curves[number], curves[having.index(group[0])]):
                group.append(place)
                break
        else:
            groups.append([place])
    return groups


def _agree(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.allclose(one, other, rtol=TOLERANCE, atol=0, equal_nan=True))
