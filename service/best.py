"""Chooses the best jobs, and by what: the metric of the request, else that of the stages of the jobs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from gradyard import shapes
from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.questions.best import Aim, aim, aim_of, other_aims, usual_aim
from gradyard.jobs.questions.terms import Source
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.stages.stage import Mode
from gradyard.jobs.validation.suggestions import did_you_mean
from gradyard.store import queries
from service.http.errors import ParametersInvalid
from service.representation.jobs import job_answer


@dataclass(frozen=True)
class Choice:
    """Of which jobs of a project the best are asked for. `of`: their batch and the question, where there are such."""

    connection: Connection
    project_id: int
    of: Mapping[str, Any]
    stage: str | None = None


def best_answer(choice: Choice, metric: str | None, mode: Mode | None, limit: int) -> shapes.BestJobs:
    """The best of these jobs. Raises ParametersInvalid where it is not clear by what, or no job has that metric."""
    try:
        by = _aim_of_stages(choice, mode) if metric is None else aim(metric, mode)
    except SpecInvalid as error:
        raise ParametersInvalid(error.problems) from None
    found = queries.best_jobs(
        choice.connection, choice.project_id, by.order, limit=limit, stage=choice.stage, **choice.of
    )
    if not found:
        _refuse_unmeasured(choice, by)
    metrics = queries.metric_figures(choice.connection, choice.project_id, found)
    jobs = [job_answer(job, None, metrics=metrics[job.id]) for job in found]
    values = [_value(job, metrics[job.id], by) for job in found]
    return shapes.BestJobs.of(jobs=jobs, metric=by.name, mode=by.mode, values=values)


def usual_aim_of(choice: Choice) -> Aim:
    """The aim of the stages of these jobs; the last loss where they are of stages with different ones."""
    try:
        return _aim_of_stages(choice, None)
    except SpecInvalid:
        return usual_aim()


def best_so_far(choice: Choice) -> shapes.BestSoFar | None:
    """The best of these jobs by their usual aim; None where none has succeeded, or has a value of it."""
    by = usual_aim_of(choice)
    found = queries.best_jobs(choice.connection, choice.project_id, by.order, limit=1, **choice.of)
    if not found:
        return None
    metrics = queries.metric_figures(choice.connection, choice.project_id, found)
    value = _value(found[0], metrics[found[0].id], by)
    return shapes.BestSoFar.of(job=found[0].id, metric=by.name, mode=by.mode, value=value)


def _aim_of_stages(choice: Choice, mode: Mode | None) -> Aim:
    """The one aim of the stages that these jobs are of."""
    if choice.stage is not None:
        return aim_of(STAGES[choice.stage], mode)
    others = other_aims(mode)
    aims = {stage: each for stage, each in others.items() if _some(choice, among=[stage])}
    if len(set(aims.values())) <= 1 and not (aims and _some(choice, beside=list(others))):
        return next(iter(aims.values()), usual_aim(mode))
    told = [f"{each.name} ({each.mode}) of {stage}" for stage, each in aims.items()]
    if _some(choice, beside=list(others)):
        told.append(f"{usual_aim(mode).name} ({usual_aim(mode).mode}) of the others")
    message = f"these jobs are of stages with different ones: {', '.join(told)}; say metric and mode, or ask by stage"
    raise SpecInvalid([FieldProblem("/metric", message)])


def _some(choice: Choice, **stages: Any) -> bool:
    found = queries.some_succeeded(choice.connection, choice.project_id, **choice.of, **stages)
    return found is not None


def _refuse_unmeasured(choice: Choice, by: Aim) -> None:
    """Raise ParametersInvalid where jobs have succeeded, and it is the metric that none of them has."""
    among = None if choice.stage is None else [choice.stage]
    one = queries.some_succeeded(choice.connection, choice.project_id, **choice.of, among=among)
    if by.column.source is Source.METRIC and one is not None:
        names = queries.metrics_measured(choice.connection, choice.project_id, one)
        hint = did_you_mean(by.column.name, names) or (f"; they have {', '.join(names)}" if names else "")
        message = f"no job that succeeded has a metric {by.column.name}{hint}"
        raise ParametersInvalid([FieldProblem("/metric", message)])


def _value(job: Row[Any], metrics: Mapping[str, Mapping[str, Any]], by: Aim) -> float:
    column = by.column
    value: float = metrics[column.name][column.figure] if column.source is Source.METRIC else getattr(job, column.name)
    return value
