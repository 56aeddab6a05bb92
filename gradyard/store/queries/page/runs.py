"""The jobs of a batch as columns: state, parameters that differ, figures. A batch of 100,000 is read whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, bindparam, select

from gradyard.jobs.questions.terms import Column, Source, Term
from gradyard.jobs.states import State
from gradyard.store.queries.questions.conditions import value_of
from gradyard.store.queries.questions.counts import rows_asked
from gradyard.store.tables import IS_RUNNING, Job, JobParameter, JobSummary, MetricSummary

MOST_RUNS = 100_000
LOOKED_AT = 300  # parameter sets in which it is looked for names whose values differ, and jobs in which for metrics

Value = float | str | None
_FIGURES = ("steps_done", "loss_first", "loss_last", "loss_min", "train_seconds")
_SETTLED = ("stage", "steps", "points", "degree", "seed", "learning_rate")
"""Parameters that are columns of `summaries`."""
_COLUMNS = ("job_id", "name", "state", "reason", "diverged_at", "finished_at", "parameters_id", *_FIGURES, *_SETTLED)


class Run(NamedTuple):
    """A job of a batch: its summary, and of a running one the figures so far."""

    id: UUID
    state: str
    summary: Row[Any]
    figures: Row[Any]
    outcome: float | None


class Length(NamedTuple):
    """How many losses a job has."""

    id: UUID
    steps: int


@dataclass(frozen=True)
class Runs:
    """The jobs of a batch that were not replaced and satisfy a question, in the order of their ids.

    more: there are others, newer than these.
    """

    runs: Sequence[Run]
    more: bool


def runs_of_batch(connection: Connection, project_id: int, batch: UUID, question: Term | None, of: Column) -> Runs:
    """The runs, with the column `of` as their outcome. batch: one of this project."""
    columns = [*(JobSummary.__table__.columns[name] for name in _COLUMNS), value_of(of).label("outcome")]
    rows, running = _rows(connection, project_id, batch, question, columns)
    shown = [_run(row, running.get(row.job_id), of) for row in rows[:MOST_RUNS]]
    return Runs(shown, more=len(rows) > MOST_RUNS)


def lengths_of_batch(connection: Connection, project_id: int, batch: UUID, question: Term | None) -> list[Length]:
    """How many losses each of these runs has; a third of the time that the runs take."""
    columns = [JobSummary.job_id, JobSummary.steps_done]
    rows, running = _rows(connection, project_id, batch, question, columns)
    return [Length(job, running[job].steps_done if job in running else steps) for job, steps in rows[:MOST_RUNS]]


def _rows(
    connection: Connection, project_id: int, batch: UUID, question: Term | None, columns: Sequence[Any]
) -> tuple[list[Any], dict[UUID, Row[Any]]]:
    """Columns of the jobs that were not replaced, of which the first is the id, one more than are shown; what runs."""
    query = select(*columns).where(*rows_asked(connection, project_id, question, batch=batch))
    found: Any = connection.execute(query.order_by(JobSummary.job_id).limit(MOST_RUNS + 1))
    rows: list[Any] = list(found)
    running = {row.id: row for row in connection.execute(_running, {"batch": batch})}
    replaced = set(connection.execute(_replaced, {"batch": batch}).scalars())
    return [row for row in rows if row[0] not in replaced] if replaced else rows, running


def metrics_of_batch(connection: Connection, batch: UUID) -> list[str]:
    """The names of the metrics that some of its jobs measured, sorted."""
    return list(connection.execute(_metric_names, {"batch": batch}).scalars())


def parameters_that_differ(connection: Connection, runs: Sequence[Run]) -> dict[str, Sequence[Value]]:
    """Of the parameters whose values differ between the runs the value in each."""
    columns = dict(zip(_COLUMNS, zip(*(run.summary for run in runs), strict=True), strict=False))
    found: dict[str, Sequence[Value]] = {name: columns.get(name, ()) for name in _SETTLED}
    # Of each set its place among the values of a name, where None is the last: an id is looked up once for all names.
    places: dict[UUID | None, int] = {None: -1}
    which = [places.setdefault(each, len(places) - 1) for each in columns.get("parameters_id", ())]
    sets = [each for each in places if each is not None]
    names = _differing_names(connection, sets) if len(sets) > 1 else []
    values: dict[str, list[Value]] = {name: [None] * (len(sets) + 1) for name in names}
    for first in range(0, len(sets) if names else 0, _AT_ONCE):
        asked = {"sets": sets[first : first + _AT_ONCE], "names": names}
        for set_id, name, number, text in connection.execute(_values, asked):
            values[name][places[set_id]] = text if number is None else number
    found |= {name: [each[place] for place in which] for name, each in values.items()}
    return {name: each for name, each in found.items() if any(value != each[0] for value in each)}


def _run(summary: Row[Any], live: Row[Any] | None, of: Column) -> Run:
    if summary.state is not None or live is None:
        return Run(summary.job_id, summary.state or State.QUEUED, summary, summary, summary.outcome)
    outcome = getattr(live, of.name, None) if of.source is Source.FIELD else None
    return Run(summary.job_id, State.RUNNING, summary, live, outcome)


def _differing_names(connection: Connection, sets: Sequence[UUID]) -> list[str]:
    some = sets[:: max(1, len(sets) // LOOKED_AT)][:LOOKED_AT]
    seen: dict[str, list[Value]] = {}
    for _, name, number, text in connection.execute(_all_values, {"sets": some}):
        seen.setdefault(name, []).append(text if number is None else number)
    return sorted(name for name, values in seen.items() if len(values) < len(some) or len(set(values)) > 1)


_AT_ONCE = 5000
_these: ColumnElement[bool] = JobParameter.set_id.in_(bindparam("sets", expanding=True))
_all_values = select(JobParameter.set_id, JobParameter.name, JobParameter.number, JobParameter.text).where(_these)
_values = _all_values.where(JobParameter.name.in_(bindparam("names", expanding=True)))
_live_columns = [getattr(Job, name) for name in _FIGURES]
_running = select(Job.id, *_live_columns).where(Job.batch_id == bindparam("batch"), IS_RUNNING)
_replaced = select(Job.id).where(Job.batch_id == bindparam("batch"), Job.replaced_by.is_not(None))
_some = (
    select(JobSummary.job_id).where(JobSummary.batch_id == bindparam("batch"), JobSummary.state == State.SUCCEEDED)
    .order_by(JobSummary.job_id.desc()).limit(LOOKED_AT)
).subquery()  # fmt: skip
_metric_names = (
    select(MetricSummary.name).where(MetricSummary.job_id.in_(select(_some.c.job_id))).distinct()
    .order_by(MetricSummary.name)
)  # fmt: skip
