"""Small loss curves of the jobs of a table, read in one query."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from markupsafe import Markup
from sqlalchemy import Connection, Row

from gradyard.jobs.curves import Curve
from gradyard.store import queries
from service.dashboard.charts.small import line
from service.http.access.callers import current_caller

POINTS, WIDE_POINTS, WIDE = 48, 300, (860, 260)
MOST_LOSSES = 1_000_000
"""Read for one table or job, 4 to 8 MB. The curves of longer jobs are drawn from their first, lowest and last loss."""


def sparks(connection: Connection, jobs: Sequence[Row[Any]]) -> dict[UUID, Markup]:
    """The loss curve of each of these jobs that has one."""
    read, rest = list[Row[Any]](), MOST_LOSSES
    for job in sorted(jobs, key=lambda job: job.steps_done):
        if 0 < job.steps_done <= rest:
            read.append(job)
            rest -= job.steps_done
    curves = queries.loss_curves(connection, current_caller().project_id, read) if read else {}
    return {
        job.id: line(Curve(range(len(losses)), losses).points(POINTS).values, "")
        if (losses := curves.get(job.id)) is not None and len(losses)
        else _of_figures(job)
        for job in jobs
    }


def loss_picture(connection: Connection, job: Row[Any]) -> Markup:
    """The loss curve of a job in the width of its page, for browsers without scripts; empty where it has none."""
    if not job.steps_done:
        return Markup("")
    if job.steps_done > MOST_LOSSES:  # it is drawn at every refresh
        return _of_figures(job, "Loss: first, lowest, last", *WIDE)
    losses = queries.loss_curve(connection, job.project_id, job.id, job.dtype)
    values = Curve(range(len(losses)), losses).points(WIDE_POINTS).values
    return line(values, "Loss by step", *WIDE)


def _of_figures(job: Row[Any], label: str = "", *size: int) -> Markup:
    """Three points of a curve, or nothing."""
    if job.loss_first is None or job.loss_last is None:
        return Markup("")
    return line([job.loss_first, *(() if job.loss_min is None else (job.loss_min,)), job.loss_last], label, *size)
