"""The rows of an export: what stands in the columns of a few jobs at this moment."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from sqlalchemy import ColumnElement, Connection, Row, Select, Text, bindparam, cast, null, select

from gradyard.jobs.exports import COLUMNS, Holds
from gradyard.jobs.questions.columns import FIGURES
from gradyard.jobs.questions.terms import Term
from gradyard.store.database import driver_rows
from gradyard.store.queries.jobs import of_project
from gradyard.store.queries.questions.curves import satisfying
from gradyard.store.tables import Job, JobParameter, JobSummary, LossChunk, MetricSummary, Result
from gradyard.store.these import is_among, told

MOST_SETS = 4096  # of parameters in memory
IDS = ("id", "batch", "retry_of", "replaced_by")
_LITTLE_ENDIAN: dict[str, np.dtype[Any]] = {"float32": np.dtype("<f4"), "float64": np.dtype("<f8")}
_OF_SUMMARY = ("points", "degree", "seed", "learning_rate")
_OF_RESULT = ("coefficients", "formula", "environment")

Parameters = dict[str, float | str]


@dataclass(frozen=True)
class ExportRows:
    """Jobs in the order of their ids.

    columns: by the names of COLUMNS, a value for each job: ids as the database has them (see `id_text`), times in
    seconds, JSON as its text; no `metrics`. parameters: those that are no columns. metrics: the JSON of their figures.
    """

    ids: list[UUID]
    columns: Mapping[str, Sequence[Any]]
    parameters: list[Parameters]
    metrics: list[str | None]

    def fitting(self, most_bytes: int) -> "ExportRows":
        """The first of these jobs whose curves have so many bytes together at most; or one job more."""
        total = 0
        for end, (steps, dtype) in enumerate(zip(self.columns["steps_done"], self.columns["dtype"], strict=True), 1):
            total += steps * _LITTLE_ENDIAN[dtype].itemsize
            if total >= most_bytes:
                columns = {name: values[:end] for name, values in self.columns.items()}
                return ExportRows(self.ids[:end], columns, self.parameters[:end], self.metrics[:end])
        return self


def id_text(raw: str) -> str:
    """An id as people see it. raw: its text in the database; SQLite's has no dashes."""
    return raw if len(raw) == 36 else f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"


class ExportReader:
    """Reads the rows of one export, of a project. Parameters that jobs share are read once.

    What belongs together is read over one connection of `Database.snapshot`: else a job may end between two statements.
    """

    def __init__(self, project_id: int, question: Term | None = None) -> None:
        """question: of a job that is to be read; its curve must answer it, see `AskedJobs`."""
        self._project_id, self._question = project_id, question
        self._sets: dict[str | None, Parameters] = {None: {}}

    def rows(self, connection: Connection, ids: Sequence[UUID]) -> ExportRows:
        """The rows of these jobs, without those that were deleted, or do not satisfy the question."""
        if self._question is not None:
            satisfied = satisfying(connection, self._project_id, self._question, ids)
            ids = [each for each in ids if each in satisfied]
        asked = {"project": self._project_id, "jobs": told(connection.dialect, ids)}
        found = driver_rows(connection, _rows, asked)
        values: Iterable[Sequence[Any]] = zip(*found, strict=True) if found else repeat(())
        *of_columns, sets = islice(values, len(COLUMNS) + 1)
        columns = dict(zip(COLUMNS, of_columns, strict=True))
        there = list(ids) if len(found) == len(ids) else [UUID(each) for each in columns["id"]]
        metrics = _metrics(connection, asked)
        of_jobs = [metrics.get(each) for each in columns["id"]]
        return ExportRows(there, columns, self._parameters(connection, sets), of_jobs)

    def curves(self, connection: Connection, rows: ExportRows) -> list[np.ndarray]:
        """Every stored loss of each job, (steps recorded,), in its dtype, little-endian."""
        chunks: dict[str, list[bytes]] = {job_id: [] for job_id in rows.columns["id"]}
        asked = {"project": self._project_id, "jobs": told(connection.dialect, rows.ids)}
        for job_id, losses in driver_rows(connection, _curves, asked):
            chunks[job_id].append(losses)
        dtypes = (_LITTLE_ENDIAN[dtype] for dtype in rows.columns["dtype"])
        return [np.frombuffer(_joined(of_job), dtype) for of_job, dtype in zip(chunks.values(), dtypes, strict=True)]

    def whole_jobs(self, connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Row[Any]]:
        """What a job's own route shows of each of these jobs, but for spec and warnings."""
        rows = connection.execute(of_project(self._project_id, without=("spec", "warnings")).where(Job.id.in_(ids)))
        return {row.id: row for row in rows}

    def _parameters(self, connection: Connection, sets: Sequence[str | None]) -> list[Parameters]:
        lacking = {each for each in sets if each not in self._sets}
        if len(self._sets) + len(lacking) > MOST_SETS:
            self._sets, lacking = {None: {}}, set(sets) - {None}
        self._sets |= {each: {} for each in lacking}
        asked = [UUID(each) for each in lacking if each is not None]
        for set_id, name, number, text in connection.execute(_of_sets, {"sets": asked}) if asked else ():
            value: Any = number if text is None else text
            self._sets[set_id][name] = value
        return [self._sets[each] for each in sets]


def _joined(chunks: list[bytes]) -> bytes:
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)  # without a copy, where it is one


def _metrics(connection: Connection, asked: Mapping[str, Any]) -> dict[str, str]:
    """The figures of the metrics of each job that has some, as JSON, by the text of its id in the database."""
    figures: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for job_id, name, *values in driver_rows(connection, _of_metrics, asked):
        figures[job_id][name] = dict(zip(FIGURES, values, strict=True))
    return {job_id: orjson.dumps(of_job).decode() for job_id, of_job in figures.items()}


def _column(name: str, holds: Holds) -> ColumnElement[Any]:
    if name == "metrics":
        return null().label(name)
    table: Any = JobSummary if name in _OF_SUMMARY else Result if name in _OF_RESULT else Job
    column = table.__table__.columns["batch_id" if name == "batch" else name]
    return (cast(column, Text) if holds is Holds.JSON or name in IDS else column).label(name)


_parameters_id = cast(JobSummary.parameters_id, Text).label("parameters_id")
# Of the jobs that are told as `jobs`. Built once: building such statements costs more than executing them.
_rows: Select[Any] = (
    select(*(_column(name, holds) for name, holds in COLUMNS.items()), _parameters_id)
    .outerjoin(JobSummary, JobSummary.job_id == Job.id).outerjoin(Result, Result.job_id == Job.id)
    .where(is_among(Job.id, "jobs"), Job.project_id == bindparam("project")).order_by(Job.id)
)  # fmt: skip
_of_metrics: Any = (
    select(cast(MetricSummary.job_id, Text), MetricSummary.name,
           *(MetricSummary.__table__.columns[each] for each in FIGURES))
    .where(is_among(MetricSummary.job_id, "jobs")).order_by(MetricSummary.job_id, MetricSummary.name)
)  # fmt: skip
_curves: Any = (
    select(cast(LossChunk.job_id, Text), LossChunk.losses)
    .where(is_among(LossChunk.job_id, "jobs"), LossChunk.project_id == bindparam("project"))
    .order_by(LossChunk.job_id, LossChunk.start_step)
)  # fmt: skip

_of_sets = select(
    cast(JobParameter.set_id, Text), JobParameter.name, JobParameter.number, JobParameter.text
).where(JobParameter.set_id.in_(bindparam("sets", expanding=True)))  # fmt: skip
