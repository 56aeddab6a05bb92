"""The receipt of a finished job, as hashes of what is stored of it."""

from typing import Any

import numpy as np
import orjson
from sqlalchemy import Connection, Row

from gradyard.jobs.evidence.canonical_json import canonical
from gradyard.jobs.evidence.receipts import FORM, dataset_digest, digest, digest_of, sealed, spec_digest
from gradyard.store import queries
from gradyard.store.dialects import as_datetime
from service.http.json_response import OPTIONS


def receipt_of(connection: Connection, job: Row[Any]) -> dict[str, Any]:
    """The receipt of a job that has ended; the same at every time. The losses are read and hashed, 0.1 s for 64 MiB."""
    return sealed({
        "receipt": FORM, "job": str(job.id), "stage": job.stage, "numerics_version": job.numerics_version,
        "state": job.state, "reason": job.reason, "diverged_at": job.diverged_at, "steps_done": job.steps_done,
        "attempts": job.attempt, "engine": job.engine, "environment": job.environment,
        "times": {name: _time(getattr(job, name)) for name in ("submitted_at", "started_at", "finished_at")},
        "spec_sha256": spec_digest(job.spec), "resolved_sha256": digest(canonical(job.resolved)),
        "dataset": dataset_digest(job.spec["dataset"]),
        "coefficients_sha256": _digest_or_none(job.coefficients or None),
        "scaled_coefficients_sha256": _digest_or_none(job.scaled_coefficients),
        "losses": _losses(connection, job), "metrics": _metrics(connection, job), "artifacts": _arrays(connection, job),
    })  # fmt: skip


def _time(seconds: float | None) -> str | None:
    """The time in the words in which a job's JSON has it."""
    return None if seconds is None else str(orjson.loads(orjson.dumps(as_datetime(seconds), option=OPTIONS)))


def _digest_or_none(value: Any) -> str | None:
    return None if value is None else digest(canonical(value))


def _losses(connection: Connection, job: Row[Any]) -> dict[str, Any]:
    digest = digest_of(queries.loss_blocks(connection, job.id))
    return {"dtype": _little_endian(job.dtype), "count": job.steps_done, "sha256": digest}


def _metrics(connection: Connection, job: Row[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in queries.metric_names(connection, job.project_id, job.id):
        values = queries.metric_curve(connection, job.project_id, job.id, name).values
        found[name] = {"dtype": "<f8", "count": len(values), "sha256": digest(values.tobytes())}
    return found


def _arrays(connection: Connection, job: Row[Any]) -> dict[str, Any]:
    return {
        each.name: {"dtype": _little_endian(each.dtype), "shape": each.shape, "sha256": digest(each.content)}
        for each in queries.arrays_of(connection, job.id)
    }


def _little_endian(dtype: str) -> str:
    return np.dtype(dtype).newbyteorder("<").str
