"""Rows as the JSON that clients see: times in RFC 3339 UTC, ids as strings, and never a NaN (orjson writes null)."""

from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Response
from sqlalchemy import Row

from gradyard.jobs.states import State


def json_response(value: Any, status: int = 200, **headers: str) -> Response:
    """A JSON response; an underscore in a header's name stands for a hyphen."""
    body = orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY)
    response = Response(body, status, content_type="application/json")
    for name, text in headers.items():
        response.headers[name.replace("_", "-")] = text
    return response


def as_datetime(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as a time."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def job_as_json(job: Row[Any], waiting: dict[str, Any] | None) -> dict[str, Any]:
    """A job; `waiting` says why a queued one is not running."""
    return {
        "id": job.id, "state": job.state, "stage": job.stage, "name": job.name, "tags": job.tags, "spec": job.spec,
        "resolved": job.resolved, "warnings": job.warnings, "attempt": job.attempt,
        "submitted_at": as_datetime(job.submitted_at), "started_at": as_datetime(job.started_at),
        "finished_at": as_datetime(job.finished_at), "steps": job.steps, "steps_done": _steps_done(job),
        "reason": job.reason, "message": job.message, "retry_of": job.retry_of, "batch": job.batch_id,
        "waiting": waiting, "result": _result(job),
    }  # fmt: skip


def _steps_done(job: Row[Any]) -> int:
    # A heartbeat's figure is newer than the last record's, except right after a record.
    return max(job.steps_done, job.claim_steps_done or 0) if job.state == State.RUNNING else int(job.steps_done)


def _result(job: Row[Any]) -> dict[str, Any] | None:
    succeeded = job.state == State.SUCCEEDED
    unsuccessful_but_trained = job.state in (State.FAILED, State.CANCELLED) and job.loss_first is not None
    if not succeeded and not unsuccessful_but_trained:
        return None
    return {
        "coefficients": (job.coefficients or None) if succeeded else None,
        "formula": job.formula if succeeded else None,
        "loss": {
            "first": job.loss_first, "last": job.loss_last, "min": job.loss_min, "min_step": job.loss_min_step,
            "diverged_at": job.diverged_at,
        },
        "timings": _timings(job), "environment": job.environment if succeeded else None,
    }  # fmt: skip


def _timings(job: Row[Any]) -> dict[str, Any]:
    began = job.finished_at if job.started_at is None else job.started_at
    return {
        "queued_seconds": max(0.0, began - job.submitted_at), "setup_seconds": job.setup_seconds,
        "train_seconds": job.train_seconds,
        "steps_per_second": job.steps_done / job.train_seconds if job.train_seconds > 0 else None,
        "pack_size": job.pack_size, "records": job.records, "attempts": job.attempt,
    }  # fmt: skip


def batch_as_json(batch: Row[Any], counts: dict[str, int]) -> dict[str, Any]:
    """A batch, and how many of its jobs are in each state."""
    waiting, running = counts[State.QUEUED], counts[State.RUNNING]
    begun = running or waiting < batch.size
    return {
        "id": batch.id, "name": batch.name, "size": batch.size, "submitted_at": as_datetime(batch.submitted_at),
        "state": "finished" if not waiting + running else "running" if begun else "queued",
        "counts": counts,
    }  # fmt: skip


def event_as_json(event: Row[Any]) -> dict[str, Any]:
    """One move of a job."""
    return {
        "sequence": event.sequence, "from": event.from_state, "to": event.to_state, "attempt": event.attempt,
        "actor": event.actor, "at": as_datetime(event.at), "detail": event.detail,
    }  # fmt: skip


def worker_as_json(worker: Row[Any], current_jobs: list[Any], drained: dict[str, Any] | None) -> dict[str, Any]:
    """A worker process, and the jobs of the present project that it trains."""
    idle, busy = ("drained", "draining") if drained else ("idle", "busy")
    state = "dead" if not worker.alive else busy if worker.claim_id else idle
    return {
        "id": worker.id, "host": worker.host, "slot": worker.slot, "queue": worker.queue,
        "device_name": worker.device_name, "device_uuid": worker.device_uuid, "pool": worker.pool, "state": state,
        "drained": drained, "pack_size": worker.width, "steps_per_second": worker.steps_per_second,
        "jobs_per_second": worker.jobs_per_second, "utilization_percent": worker.utilization_percent,
        "temperature_celsius": worker.temperature_celsius, "memory_used_mib": worker.memory_used_mib,
        "memory_mib": worker.device_memory_mib,
        "pid": worker.pid, "heartbeat_at": as_datetime(worker.heartbeat_at),
        "started_at": as_datetime(worker.started_at),
        "current_jobs": current_jobs, "versions": worker.versions, "engines": worker.engines or ["eager"],
    }  # fmt: skip
