"""Two finished jobs bit by bit: the one that was trained again, and its recheck. Curves are read a chunk at a time."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from sqlalchemy import Connection, Row, bindparam, select

from gradyard.jobs.curves import Curve
from gradyard.jobs.evidence.bit_differences import Difference, first_difference, first_different_value
from gradyard.jobs.evidence.rechecks import FINAL_WEIGHTS_MEASURED, End, Part, Verdict, verdict_of
from gradyard.jobs.states import FINISHED, Reason, State
from gradyard.store.queries.curves import metric_curve, metric_names
from gradyard.store.queries.jobs import job_by_id
from gradyard.store.queries.stored_bytes import arrays_of, loss_blocks
from gradyard.store.tables import MetricChunk, Recheck

CONDITIONS = ("numerics_class", "device", "threads")
"""Of a result's environment, beside the versions of packages."""
NO_CURVE = Curve(range(0), np.empty(0))


def verdict_on(connection: Connection, recheck_id: UUID) -> Row[Any] | None:
    """What the comparison of this recheck has shown; None where it was not made yet."""
    return connection.execute(_verdict, {"job": recheck_id}).first()


def compare_recheck(connection: Connection, project_id: int, recheck_id: UUID) -> Verdict | None:
    """Compare a recheck with its original. None where one of them has not ended.

    Raises NotFound where one of them is not there, or was deleted (Gone), be it while they are compared.
    """
    recheck = job_by_id(connection, project_id, recheck_id)
    original = job_by_id(connection, project_id, recheck.recheck_of)
    if original.state not in FINISHED or recheck.state not in FINISHED:
        return None
    ends = _end(connection, original), _end(connection, recheck)
    verdict = verdict_of(*ends, _differences(connection, original, recheck, ends))
    for job in (original, recheck):  # what was deleted meanwhile would look like a difference
        job_by_id(connection, project_id, job.id)
    return verdict


def _end(connection: Connection, job: Row[Any]) -> End:
    environment: Mapping[str, Any] = job.environment or {}
    conditions: dict[str, Any] = {"numerics_version": job.numerics_version, "engine": job.engine}
    conditions |= {name: environment[name] for name in CONDITIONS if name in environment}
    conditions |= environment.get("versions", {})
    if job.state == State.SUCCEEDED and metric_names(connection, job.project_id, job.id):
        measured = connection.execute(_of_final_weights, {"job": job.id, "steps": job.steps_done}).first()
        conditions[FINAL_WEIGHTS_MEASURED] = measured is not None
    reason = None if job.reason is None else Reason(job.reason)
    return End(State(job.state), reason, job.message, job.diverged_at, job.steps_done, conditions)


def _differences(
    connection: Connection, original: Row[Any], recheck: Row[Any], ends: tuple[End, End]
) -> dict[Part, int | None]:
    """The parts that differ, each with its first step where it has any."""
    whole = all(end.is_whole for end in ends)
    steps: dict[Part, int] = {}
    first, second = (loss_blocks(connection, job.id) for job in (original, recheck))
    curves = [(Part.LOSSES, first_difference(first, second, np.dtype(original.dtype).itemsize))]
    metrics, unmeasured = _differences_of_metrics(connection, original, recheck), _of_unmeasured(*ends)
    curves += [(Part.METRICS, each) for each in metrics if each != unmeasured]
    for part, difference in curves:
        if difference is not None and (whole or not difference.missing):
            steps[part] = min(difference.at, steps.get(part, difference.at))
    found: dict[Part, int | None] = {**steps}
    if whole and _coefficients(original) != _coefficients(recheck):
        found[Part.COEFFICIENTS] = None
    arrays = (arrays_of(connection, job.id) for job in (original, recheck))
    if whole and any(one != other for one, other in zip_longest(*arrays)):
        found[Part.ARTIFACTS] = None
    return found


def _differences_of_metrics(
    connection: Connection, original: Row[Any], recheck: Row[Any]
) -> Iterator[Difference | None]:  # fmt: skip
    names = [metric_names(connection, job.project_id, job.id) for job in (original, recheck)]
    for name in sorted({*names[0], *names[1]}):
        sides = [
            metric_curve(connection, job.project_id, job.id, name) if name in known else NO_CURVE
            for job, known in zip((original, recheck), names, strict=True)
        ]
        yield first_different_value(*sides)


def _of_unmeasured(original: End, recheck: End) -> Difference | None:
    """What is no difference: versions before decision 0032 did not measure the final weights. The conditions say so."""
    measured = {end.conditions.get(FINAL_WEIGHTS_MEASURED) for end in (original, recheck)}
    return Difference(original.steps_done, missing=True) if measured == {False, True} else None


def _coefficients(job: Row[Any]) -> bytes:
    # As JSON: it tells -0.0 from 0.0, and writes the digits of every other number's bits.
    return orjson.dumps([job.coefficients, job.scaled_coefficients], option=orjson.OPT_SORT_KEYS)


# Built once: building such statements costs more than executing them.
_of_final_weights = (
    select(MetricChunk.name)
    .where(MetricChunk.job_id == bindparam("job"), MetricChunk.start_step == bindparam("steps")).limit(1)
)  # fmt: skip
_verdict = select(*Recheck.__table__.columns).where(Recheck.job_id == bindparam("job"))
