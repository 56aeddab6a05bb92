"""Rows of jobs and their events as answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from gradyard import shapes
from gradyard.jobs.states import State
from gradyard.store.dialects import as_datetime


def job_answer(
    job: Row[Any], waiting: shapes.Waiting | None, recheck: shapes.Recheck | None = None,
    metrics: Mapping[str, shapes.MetricFigures] | None = None, depends_on: Sequence[shapes.Dependency] | None = None,
) -> shapes.Job:  # fmt: skip
    """A job; `waiting` says why a queued one is not running, `recheck` what its recheck has shown.

    metrics: the figures of its metrics by name; without any the result has none of them. depends_on: what must end
    before it is trained; None: it was not looked at.
    """
    return shapes.Job.of(
        id=job.id, state=job.state, stage=job.stage, name=job.name, tags=job.tags, spec=job.spec,
        resolved=job.resolved, warnings=job.warnings, attempt=job.attempt,
        submitted_at=as_datetime(job.submitted_at), submitted_by=job.submitted_by,
        started_at=as_datetime(job.started_at), finished_at=as_datetime(job.finished_at), steps=job.steps,
        steps_done=_steps_done(job), reason=job.reason, message=job.message, retry_of=job.retry_of,
        recheck_of=job.recheck_of, rechecked_by=job.rechecked_by, recheck=recheck, replaced_by=job.replaced_by,
        batch=job.batch_id, precedence=job.precedence, priority=job.priority, pinned=job.pinned,
        depends_on=depends_on, waiting=waiting, result=_result(job, metrics),
    )  # fmt: skip


def _steps_done(job: Row[Any]) -> int:
    # A heartbeat's figure is newer than the last record's, except right after a record.
    return max(job.steps_done, job.claim_steps_done or 0) if job.state == State.RUNNING else int(job.steps_done)


def _result(job: Row[Any], metrics: Mapping[str, shapes.MetricFigures] | None) -> shapes.JobResult | None:
    succeeded = job.state == State.SUCCEEDED
    unsuccessful_but_trained = job.state in (State.FAILED, State.CANCELLED) and job.loss_first is not None
    if not succeeded and not unsuccessful_but_trained:
        return None
    result: shapes.JobResult = {
        "coefficients": (job.coefficients or None) if succeeded else None,
        "scaled_coefficients": job.scaled_coefficients if succeeded else None,
        "formula": job.formula if succeeded else None,
        "loss": {
            "first": job.loss_first, "last": job.loss_last, "min": job.loss_min, "min_step": job.loss_min_step,
            "diverged_at": job.diverged_at, "attainable": job.resolved.get("attainable_loss"),
        },
        "timings": _timings(job), "environment": job.environment if succeeded else None,
    }  # fmt: skip
    return result if metrics is None else result | {"metrics": metrics}


def _timings(job: Row[Any]) -> shapes.Timings:
    began = job.finished_at if job.started_at is None else job.started_at
    return {
        "queued_seconds": max(0.0, began - job.submitted_at), "setup_seconds": job.setup_seconds,
        "train_seconds": job.train_seconds,
        "steps_per_second": job.steps_done / job.train_seconds if job.train_seconds > 0 else None,
        "pack_size": job.pack_size, "records": job.records, "attempts": job.attempt,
    }  # fmt: skip


def event_answer(event: Row[Any]) -> shapes.Event:
    """One change of a job's state."""
    return shapes.Event.of(
        sequence=event.sequence, from_state=event.from_state, to_state=event.to_state, kind=event.kind,
        attempt=event.attempt, actor=event.actor, at=as_datetime(event.at), detail=event.detail,
        steps_done=event.steps_done,
    )  # fmt: skip
