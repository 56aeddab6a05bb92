"""What the charts of a batch draw, as JSON for the script of its page: its runs as columns, and the band of curves."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Literal, NamedTuple

import numpy as np
from flask import Response, request
from pydantic import Field, ValidationError
from sqlalchemy import Connection, Row

from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.questions.best import LOSSES, Aim, aim
from gradyard.jobs.questions.columns import FIGURES
from gradyard.jobs.questions.read import MOST_BYTES
from gradyard.jobs.states import Reason, State
from gradyard.store.queries.page.runs import (
    Run,
    Runs,
    lengths_of_batch,
    metrics_of_batch,
    parameters_that_differ,
    runs_of_batch,
)
from service.best import Choice, usual_aim_of
from service.dashboard.batches.band import QUANTILES, band_of
from service.dashboard.batches.importance import importance
from service.dashboard.html import compressed_json
from service.garbage_collector import collector_at_rest
from service.http.access.callers import current_caller
from service.http.errors import ParametersInvalid
from service.http.ids import find_batch
from service.http.parameter_errors import refuse_parameters
from service.http.parameters import Project, Query
from service.http.query_parameters.best import METRIC, MODE
from service.http.query_parameters.where import question_without_curves
from service.http.services import current_services

MOST_PARAMETERS = 12  # that are drawn: those that matter most


class ChartsQuery(Query):
    """Of which runs of a batch, and which figure is their outcome."""

    where: str | None = Field(default=None, max_length=MOST_BYTES)
    metric: str | None = METRIC
    mode: Literal["min", "max"] | None = MODE
    project: Project = None


def _in_a_place(respond: Callable[[str], Response]) -> Callable[[str], Response]:
    """The view, for a few requests at a time: a large batch takes memory, and a core for seconds."""

    @wraps(respond)
    def answer(batch_id: str) -> Response:
        places, project = current_services().chart_places, current_caller().project_id
        places.take(project)
        try:
            with (
                collector_at_rest()
            ):  # ten thousand rows live until the answer is made: to look through them is in vain
                return respond(batch_id)
        finally:
            places.give_back(project)

    return answer


class _Asked(NamedTuple):
    batch: Row[Any]
    runs: Runs
    aim: Aim


@_in_a_place
def batch_runs(batch_id: str) -> Response:
    """The runs of a batch: state, outcome, and the parameters that differ, a list of values for each."""
    with current_services().database.snapshot() as connection:
        asked = _asked(connection, batch_id)
        metrics = metrics_of_batch(connection, asked.batch.id)
        runs = asked.runs.runs
        parameters = parameters_that_differ(connection, runs)
    outcome = np.array([np.nan if run.outcome is None else run.outcome for run in runs], np.float64)
    shares = importance(parameters, _with_worst(runs, outcome, asked.aim))
    drawn = sorted(parameters, key=lambda name: -shares.get(name, 0.0))[:MOST_PARAMETERS]
    names = [run.summary.name for run in runs]
    return compressed_json({
        "size": asked.batch.size, "more": asked.runs.more, "metric": asked.aim.name, "mode": asked.aim.mode,
        "offered": [*dict.fromkeys(LOSSES.values()), "train_seconds",
                    *(f"metrics.{name}.{figure}" for name in metrics for figure in FIGURES)],
        "ids": [run.id for run in runs], "names": names if any(names) else None,
        "states": [run.state for run in runs], "reasons": [run.summary.reason for run in runs],
        "finished": [run.summary.finished_at for run in runs], "loss_min": [run.figures.loss_min for run in runs],
        "outcome": outcome, "importance": {name: share for name, share in shares.items() if name in drawn},
        "parameters": {name: each for name, each in parameters.items() if name in drawn},
        "left_out": len(parameters) - len(drawn),
    })  # fmt: skip


@_in_a_place
def batch_band(batch_id: str) -> Response:
    """Quantiles of the losses of its runs at each of some steps."""
    with current_services().database.snapshot() as connection:
        query, batch = _query(request.args.to_dict()), find_batch(connection, batch_id)
        question = question_without_curves(connection, query.where, batch.id)
        band = band_of(connection, lengths_of_batch(connection, current_caller().project_id, batch.id, question))
    return compressed_json({
        "steps": band.steps, "runs": band.runs, "read": band.read, "having": band.having,
        "quantiles": {f"{100 * share:g}": np.ascontiguousarray(each)
                      for share, each in zip(QUANTILES, band.losses, strict=True)},
    })  # fmt: skip


def _asked(connection: Connection, batch_id: str) -> _Asked:
    query, project = _query(request.args.to_dict()), current_caller().project_id
    batch = find_batch(connection, batch_id)
    question = question_without_curves(connection, query.where, batch.id)
    try:
        by = (
            usual_aim_of(Choice(connection, project, {"batch": batch.id})) if query.metric is None
            else aim(query.metric, query.mode)
        )  # fmt: skip
    except SpecInvalid as error:
        raise ParametersInvalid(error.problems) from None
    return _Asked(batch, runs_of_batch(connection, project, batch.id, question, by.column), by)


def _query(asked: Mapping[str, str]) -> ChartsQuery:
    try:
        return ChartsQuery.model_validate(asked)
    except ValidationError as error:
        refuse_parameters(error)
        raise


def _with_worst(runs: Any, outcome: np.ndarray, by: Aim) -> np.ndarray:
    """The outcomes that tell of parameters: of jobs that succeeded; a job that diverged has the worst of all."""
    told = np.full(len(runs), np.nan)
    worst = np.inf if by.mode == "min" else -np.inf
    for place, run in enumerate(runs):
        if _diverged(run):
            told[place] = worst
        elif run.state == State.SUCCEEDED:
            told[place] = outcome[place]
    return told


def _diverged(run: Run) -> bool:
    return run.state == State.FAILED and run.summary.reason == Reason.DIVERGED
