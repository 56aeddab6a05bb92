"""The condition in SQL of a question. Columns come from a map and values are bound: no text of a caller becomes SQL."""

import operator
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    case,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)  # fmt: skip
from sqlalchemy import cast as as_type

from gradyard.jobs.identifiers import ids_beginning_with
from gradyard.jobs.questions import terms
from gradyard.jobs.questions.terms import Among, Column, Comparison, Kind, Missing, Not, OneOf, Source, Term, Value
from gradyard.store.dialects import in_byte_order, number_told
from gradyard.store.summaries import FINAL
from gradyard.store.tables import METRICS_IN_ORDER, Job, JobParameter, JobSummary, JobTag, MetricSummary

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
ONLY_IN_JOBS = ("priority", "pinned", "retry_of", "recheck_of")
"""Fields that are looked up in `jobs`, job by job: `summaries` has them not."""
_SUMMARY, _JOB = JobSummary.__table__.columns, Job.__table__.columns


def condition(term: Term, every_job_of: int | None = None) -> ColumnElement[bool]:
    """Whether a row of `summaries` satisfies the question. It is never true of a value that is missing.

    every_job_of: a project whose jobs are all looked at. Then those that have a tag or a metric are found at once, by
    an index, which takes a fifth of the time of a look for each job; for some thousand jobs it takes longer.
    """
    match term:
        case terms.All(parts):
            return and_(true(), *(condition(part, every_job_of) for part in parts))
        case terms.Any(parts):
            return or_(false(), *(condition(part, every_job_of) for part in parts))
        case Not(inner):
            return not_(func.coalesce(condition(inner, every_job_of), false()))
        case Among(job_ids):
            return JobSummary.job_id.in_(job_ids)
        case Missing(column):
            return _missing(column)
        case OneOf(column, values):
            return or_(false(), *(condition(Comparison(column, "==", each), every_job_of) for each in values))
        case Comparison(column, symbol, value):
            having = None if every_job_of is None else jobs_having(every_job_of, term)
            return _compared(column, symbol, value) if having is None else JobSummary.job_id.in_(having)


def _missing(column: Column) -> ColumnElement[bool]:
    if column.source is Source.PARAMETER:
        of_name = select(JobParameter.set_id).where(JobParameter.name == column.name)
        return or_(JobSummary.parameters_id.is_(None), JobSummary.parameters_id.not_in(of_name))
    return value_of(column).is_(None)


def _compared(column: Column, symbol: str, value: Value | Column) -> ColumnElement[bool]:
    compare = OPERATORS[symbol]
    if isinstance(value, Column):
        return cast(ColumnElement[bool], compare(_ordered(column, symbol), _ordered(value, symbol)))
    if column.source is Source.PARAMETER:
        return JobSummary.parameters_id.in_(sets_of(column, symbol, value))
    if column.is_id:
        return _of_id(column, compare, str(value))
    return cast(ColumnElement[bool], compare(_ordered(column, symbol), value))


def jobs_having(project_id: int, asked: Comparison) -> Select[Any] | None:
    """The ids of jobs that have such a tag or such a figure of a metric, from an index; None where none has them.

    Of a metric the index is read whole: the stage and the state stand before the figure in it.
    """
    column, symbol, value = asked.column, asked.operator, asked.value
    if isinstance(value, Column) or symbol == "!=":
        return None
    if column.source is Source.METRIC and column.figure in METRICS_IN_ORDER:
        figure = MetricSummary.__table__.columns[column.figure]
        of_name = MetricSummary.project_id == project_id, MetricSummary.name == column.name
        return select(MetricSummary.job_id).where(*of_name, OPERATORS[symbol](figure, value))
    if column.source is Source.TAG and symbol == "==":
        of_key = JobTag.project_id == project_id, JobTag.key == column.name
        return select(JobTag.job_id).where(*of_key, JobTag.value == value)
    return None


def _ordered(column: Column, symbol: str) -> ColumnElement[Any]:
    """The value of a column; where a text is said to be before or after another, in the order of its bytes."""
    value, is_text = value_of(column), column.kind is Kind.TEXT and not column.is_id
    return in_byte_order(value) if is_text and symbol not in ("==", "!=") else value


def sets_of(column: Column, symbol: str, value: Value) -> Select[Any]:
    """Of the parameters that jobs share, the few sets that satisfy a comparison: an index finds them."""
    compare, mine, other = OPERATORS[symbol], JobParameter.number, JobParameter.text
    if isinstance(value, str):
        mine, other = cast(Any, (JobParameter.text, JobParameter.number))
    in_order = isinstance(value, str) and symbol not in ("==", "!=")
    satisfied = compare(in_byte_order(mine) if in_order else mine, value)
    if compare is operator.ne:  # a text is not a number
        satisfied = or_(satisfied, other.is_not(None))
    return select(JobParameter.set_id).where(JobParameter.name == column.name, satisfied)


def _of_id(column: Column, compare: Callable[[Any, Any], Any], value: str) -> ColumnElement[bool]:
    ids = ids_beginning_with(value)
    if ids is None:  # nothing is called so
        return value_of(column).is_not(None) if compare is operator.ne else false()
    if ids[0] != ids[1] and compare in (operator.eq, operator.ne):
        within = value_of(column).between(*ids)
        return within if compare is operator.eq else not_(within)
    return cast(ColumnElement[bool], compare(value_of(column), ids[0]))


def value_of(column: Column) -> ColumnElement[Any]:
    """The value of a column that is no parameter, NULL where a job has none."""
    match column.source:
        case Source.TAG:
            of_key = (JobTag.job_id == JobSummary.job_id, JobTag.key == column.name)
            return select(JobTag.value).where(*of_key).correlate(JobSummary).scalar_subquery()
        case Source.METRIC:
            figure = MetricSummary.__table__.columns[column.figure]
            of_name = (MetricSummary.job_id == JobSummary.job_id, MetricSummary.name == column.name)
            ended = select(figure).where(*of_name).correlate(JobSummary).scalar_subquery()
            return _live_or_ended(column, ended) if column.live else ended
    if column.name == "batch":
        return _SUMMARY.batch_id
    if column.name in ONLY_IN_JOBS:
        return _of_job(column.name)
    return _live_or_final(column.name) if column.name in FINAL else _SUMMARY[column.name]


def _live_or_ended(column: Column, ended: ColumnElement[Any]) -> ColumnElement[Any]:
    """A metric of jobs that have not ended from what they have recorded."""
    told = literal(orjson.dumps(dict(column.live)).decode(), Text)
    begun = JobSummary.job_id.in_([UUID(job_id) for job_id, _ in column.live])
    return case((and_(JobSummary.state.is_(None), begun), number_told(told, JobSummary.job_id)), else_=ended)


def _of_job(name: str) -> ColumnElement[Any]:
    value = as_type(_JOB[name], Integer) if name == "pinned" else _JOB[name]
    return select(value).where(Job.id == JobSummary.job_id).correlate(JobSummary).scalar_subquery()


def _live_or_final(name: str) -> ColumnElement[Any]:
    """A figure of a job that has ended from its summary, of others from `jobs`, which is read for these alone.

    A job that has not begun has no seconds of training yet.
    """
    of_job = [Job.id == JobSummary.job_id, *([Job.attempt > 0] if name in ("setup_seconds", "train_seconds") else [])]
    live = select(_JOB[name]).where(*of_job).correlate(JobSummary).scalar_subquery()
    return case((JobSummary.state.is_(None), live), else_=_SUMMARY[name])
