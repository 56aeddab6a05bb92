"""New jobs, and the rows by which they are found later: made with the job, completed with its last move."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, select, update

from gradyard.jobs.curves import measured_steps
from gradyard.jobs.submission.parameters import ParametersOfJob, SharedParameters
from gradyard.store.bulk import OnConflict, insert_rows
from gradyard.store.dialects import now
from gradyard.store.files.rows import store_uses
from gradyard.store.tables import Job, JobParameter, JobSummary, JobTag, MetricChunk, MetricSummary, ParameterSet
from gradyard.store.these import is_among, told

COPIED = ("project_id", "batch_id", "stage", "name", "submitted_at")
"""Columns of `jobs` that a summary has from the beginning."""

FINAL = (
    "state", "reason", "queue", "attempt", "started_at", "finished_at", "steps_done", "loss_first", "loss_last",
    "loss_min", "loss_min_step", "diverged_at", "setup_seconds", "train_seconds", "records", "pack_size",
)  # fmt: skip
"""Columns of `jobs` that a summary takes over when the job has ended."""


def store_jobs(connection: Connection, jobs: Sequence[dict[str, Any]], parameters: Sequence[ParametersOfJob]) -> None:
    """Store new queued jobs and their summaries.

    jobs: their columns, to which the time of submission is added, the database's. parameters: those of each.
    """
    at = connection.execute(_time).scalar_one()
    for job in jobs:
        job["submitted_at"] = at
    insert_rows(connection, Job, jobs)
    _begin_summaries(connection, jobs, parameters)
    on_files = [job for job in jobs if (job["spec"].get("dataset") or {}).get("kind") == "file"]
    if on_files:
        store_uses(connection, on_files)


def _begin_summaries(
    connection: Connection, jobs: Sequence[Mapping[str, Any]], parameters: Sequence[ParametersOfJob]
) -> None:  # fmt: skip
    """Store what new jobs were submitted as. Parameters that jobs have in common are stored once."""
    store_parameters(connection, [each.shared for each in parameters])
    insert_rows(connection, JobSummary, [
        {"job_id": job["id"], "parameters_id": shared.id, **varied, **{name: job[name] for name in COPIED}}
        for job, (shared, varied) in zip(jobs, parameters, strict=True)
    ])  # fmt: skip
    insert_rows(connection, JobTag, tag_rows(jobs))


def tag_rows(jobs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of `job_tags` of these jobs. jobs: their rows of `jobs`, by column."""
    return [
        {"job_id": job["id"], "project_id": job["project_id"], "key": key, "value": value}
        for job in jobs
        for key, value in job["tags"].items()
    ]


def store_parameters(connection: Connection, shared: Sequence[SharedParameters]) -> None:
    """Store those of these parameters that no job had before.

    On PostgreSQL in a transaction of their own: else a job with the same new parameters waits until the batch that
    stores them first is stored whole. Without its jobs a set is of no harm.
    """
    new = {each.id: each for each in shared}
    for known in connection.execute(_known_sets, {"of_sets": told(connection.dialect, new)}).scalars():
        del new[known]
    if not new:
        return
    if connection.dialect.name == "postgresql":
        with connection.engine.begin() as apart:
            _insert_sets(apart, new)
    else:
        _insert_sets(connection, new)


def _insert_sets(connection: Connection, new: Mapping[UUID, SharedParameters]) -> None:
    ids = sorted(new)  # two transactions that store the same sets wait for one another in one order
    insert_rows(connection, ParameterSet, [{"id": set_id} for set_id in ids], OnConflict.IGNORE)
    rows = [_parameter(set_id, *each) for set_id in ids for each in new[set_id].parameters.items()]
    insert_rows(connection, JobParameter, rows, OnConflict.IGNORE)


def _parameter(set_id: UUID, name: str, value: float | str) -> dict[str, Any]:
    number, text = (None, value) if isinstance(value, str) else (value, None)
    return {"set_id": set_id, "name": name, "number": number, "text": text}


def end_summaries(connection: Connection, job_ids: Collection[UUID]) -> None:
    """Complete the summaries of jobs that have ended, after their move."""
    connection.execute(_end, {"of_jobs": told(connection.dialect, job_ids)})
    summarize_metrics(connection, job_ids)


def summarize_metrics(connection: Connection, job_ids: Collection[UUID]) -> None:
    """Store the last, lowest and highest value of each metric of these jobs, with their steps."""
    insert_rows(connection, MetricSummary, metric_rows(connection, job_ids), OnConflict.REPLACE)


def metric_rows(connection: Connection, job_ids: Collection[UUID]) -> list[dict[str, Any]]:
    """The rows of `metric_summaries` of these jobs, from what they have recorded."""
    curves: dict[tuple[UUID, str], list[Any]] = {}
    for chunk in connection.execute(_metrics, {"of_jobs": told(connection.dialect, job_ids)}):
        curves.setdefault((chunk.job_id, chunk.name), []).append(chunk)
    return [
        {name: getattr(chunks[0], name) for name in _OF_METRIC} | figures_of_metric(chunks)
        for chunks in curves.values()
    ]


def figures_of_metric(chunks: Sequence[Any]) -> dict[str, Any]:
    """The figures of a metric of one job, whose chunks are in order.

    A value that is not finite is never the lowest or highest.
    """
    parts = [np.frombuffer(chunk.metric_values, dtype="<f8") for chunk in chunks]
    values = np.concatenate(parts)
    steps = np.concatenate([
        measured_steps(chunk.start_step, chunk.every, len(part)) for chunk, part in zip(chunks, parts, strict=True)
    ])  # fmt: skip
    figures = {"last": None, "last_step": int(steps[-1]) if len(steps) else 0} | dict.fromkeys(_EXTREMES)
    if len(values) and np.isfinite(values[-1]):
        figures["last"] = float(values[-1])
    if len(finite := np.flatnonzero(np.isfinite(values))):
        for name, place in (("min", finite[values[finite].argmin()]), ("max", finite[values[finite].argmax()])):
            figures |= {name: float(values[place]), f"{name}_step": int(steps[place])}
    return figures


_OF_METRIC = ("job_id", "project_id", "name", "stage", "state")
_EXTREMES = ("min", "min_step", "max", "max_step")


# Built once: building such statements costs more than executing them.
_time = select(now())
_known_sets = select(ParameterSet.id).where(is_among(ParameterSet.id, "of_sets"))
_end = (
    update(JobSummary).where(JobSummary.job_id == Job.id, is_among(Job.id, "of_jobs"))
    .values({name: Job.__table__.columns[name] for name in FINAL})
)  # fmt: skip
_metrics = (
    select(MetricChunk.job_id, MetricChunk.project_id, MetricChunk.name, MetricChunk.start_step,
           MetricChunk.every, MetricChunk.metric_values, JobSummary.stage, JobSummary.state)
    .join(JobSummary, JobSummary.job_id == MetricChunk.job_id)
    .where(is_among(MetricChunk.job_id, "of_jobs"))
    .order_by(MetricChunk.job_id, MetricChunk.name, MetricChunk.start_step)
)  # fmt: skip
