"""What jobs store, measured behind them: a submission, a record and the end of a job pay nothing for it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, literal, select, tuple_

from gradyard.jobs.states import FINISHED, State
from gradyard.jobs.storage import StoredKind
from gradyard.store.bulk import OnConflict, insert_rows
from gradyard.store.database import Database
from gradyard.store.dialects import octets
from gradyard.store.queries.questions.streams import stages_of
from gradyard.store.tables import (
    SIZES,
    Artifact,
    AttemptLog,
    Checkpoint,
    Job,
    JobEvent,
    JobSize,
    JobSummary,
    LossChunk,
    MetricChunk,
    Result,
)

PAGE = 1000  # jobs of one look
AT_ONCE = 250  # jobs of one statement


class Place(NamedTuple):
    """A place among the jobs of a project, a stage and a final state, in the order in which they ended."""

    stage: str
    state: State
    finished_at: float
    job_id: UUID = UUID(int=0)


def measure(database: Database, project_id: int, since: float) -> Iterator[None]:
    """Measure the jobs of a project that ended since then and are not measured. It stops after each PAGE of them."""
    with database.read() as connection:
        stages = stages_of(connection, project_id)
    for stage in stages:
        for state in sorted(FINISHED):  # one order in an index for each
            place = Place(stage, state, since)
            while (further := _measure_next(database, project_id, place)) is not None:
                place = further
                yield


def _measure_next(database: Database, project_id: int, after: Place) -> Place | None:
    """Measure the next jobs after that place, and return that of the last of them; None where there are none."""
    with database.read() as connection:
        page = connection.execute(_page, {"project": project_id, **after._asdict()}).all()
        ends = {row.id: row.finished_at for row in page if row.is_new}
        sizes = sizes_of(connection, list(ends))
    if sizes:
        _store(database, project_id, sizes, ends)
    return after._replace(finished_at=page[-1].finished_at, job_id=page[-1].id) if page else None


def _store(
    database: Database, project_id: int, sizes: Mapping[UUID, dict[str, int]], ends: Mapping[UUID, float]
) -> None:
    with database.begin() as connection:
        there = connection.execute(_still_there, {"of_jobs": list(sizes)}).scalars()  # others may have been deleted
        rows = [{"job_id": each, "project_id": project_id, "finished_at": ends[each], **sizes[each]} for each in there]
        insert_rows(connection, JobSize, rows, OnConflict.IGNORE)


def sizes_of(connection: Connection, job_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """What each of these jobs stores at this moment, by the names of SIZES."""
    sizes = {job_id: dict.fromkeys(SIZES, 0) for job_id in job_ids}
    for begin in range(0, len(job_ids), AT_ONCE):
        part = {"of_jobs": job_ids[begin : begin + AT_ONCE]}
        for kind, query in _of_kind.items():
            for job_id, rows, size in connection.execute(query, part):
                sizes[job_id] |= {f"{kind}_rows": rows, f"{kind}_bytes": int(size)}
    return sizes


def total(sizes: Collection[dict[str, int]]) -> dict[str, int]:
    """The sum of these sizes."""
    return {name: sum(each[name] for each in sizes) for name in SIZES}


# Built once: building such statements costs more than executing them.
_these: Any = bindparam("of_jobs", expanding=True)
_of_stream = [JobSummary.project_id == bindparam("project"), JobSummary.finished_at.is_not(None),
              JobSummary.stage == bindparam("stage"), JobSummary.state == bindparam("state")]  # fmt: skip
_after = tuple_(
    bindparam("finished_at", type_=JobSummary.finished_at.type), bindparam("job_id", type_=JobSummary.job_id.type)
)
_page: Any = (
    select(JobSummary.job_id.label("id"), JobSummary.finished_at, JobSize.job_id.is_(None).label("is_new"))
    .outerjoin(JobSize, JobSize.job_id == JobSummary.job_id)
    .where(*_of_stream, tuple_(JobSummary.finished_at, JobSummary.job_id) > _after)
    .order_by(JobSummary.finished_at, JobSummary.job_id).limit(PAGE)
)  # fmt: skip
# A job that another transaction holds is left to the next run: it is deleted, or soon free.
_still_there = (
    select(Job.id).where(Job.id.in_(_these)).order_by(Job.id)
    .with_for_update(read=True, key_share=True, skip_locked=True)
)  # fmt: skip


def _of(table: Any, *contents: Any) -> Any:
    size = func.sum(sum((func.coalesce(octets(each), 0) for each in contents), literal(0)))
    return select(table.job_id, func.count(), size).where(table.job_id.in_(_these)).group_by(table.job_id)


_in_a_job = (Job.spec, Job.resolved, Job.warnings, Job.message)
_in_a_result = (Result.coefficients, Result.scaled_coefficients, Result.formula, Result.environment)
_of_kind: dict[StoredKind, Any] = {
    StoredKind.LOSSES: _of(LossChunk, LossChunk.losses),
    StoredKind.METRICS: _of(MetricChunk, MetricChunk.metric_values),
    StoredKind.ARTIFACTS: _of(Artifact, Artifact.content),
    StoredKind.CHECKPOINTS: _of(Checkpoint, Checkpoint.blob),
    StoredKind.LOGS: _of(AttemptLog, AttemptLog.text),
    StoredKind.EVENTS: _of(JobEvent, JobEvent.actor, JobEvent.detail),
    StoredKind.SPECS: select(
        Job.id, literal(1), sum((func.coalesce(octets(each), 0) for each in _in_a_job + _in_a_result), literal(0))
    ).outerjoin(Result, Result.job_id == Job.id).where(Job.id.in_(_these)),
}  # fmt: skip
