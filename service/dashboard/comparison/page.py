"""Jobs over one another: the frame of their curves, their figures, and what differs."""

from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import request
from pydantic import Field, ValidationError
from sqlalchemy import Connection, Row

from gradyard import shapes
from gradyard.jobs.stages.builtin import BUILT_IN
from gradyard.jobs.states import FINISHED
from gradyard.jobs.visible_text import visible
from gradyard.shapes.histories import MOST_CURVES
from gradyard.shapes.shown import differences
from gradyard.store import queries
from service.dashboard.comparison.agreement import on_one_curve
from service.http.access.callers import current_caller
from service.http.ids import find_batch, find_jobs
from service.http.parameter_errors import refuse_parameters
from service.http.parameters import Project, Query
from service.http.proxy import outer_path
from service.http.services import current_services
from service.representation.jobs import job_answer

LONGEST_VALUE = 120
POINTS, FAR = 600, 4  # as in the script of the page
TUTORIAL_FROM = 4  # of its stages, that the page explains them


class CompareQuery(Query):
    """Which jobs: by their ids, or those of a batch."""

    job: list[str] = Field(default=[], max_length=MOST_CURVES)
    batch: str | None = None
    project: Project = None


class Compared(NamedTuple):
    """One of the jobs: the letters that stand for it."""

    letter: str
    job: shapes.Job


def compare() -> tuple[str, dict[str, Any]]:
    """The comparison of the jobs that the address names."""
    query = _query()
    with current_services().database.snapshot() as connection:
        batch = find_batch(connection, query.batch) if query.batch else None
        rows = list(_rows(connection, query, batch))
        groups = on_one_curve(connection, rows)
        figures = queries.metric_figures(connection, current_caller().project_id, rows)
    jobs = [job_answer(row, None, metrics=figures.get(row.id)) for row in rows]
    those = [Compared(letter, job) for letter, job in zip(labels(), jobs, strict=False)]
    return "compare.html", {
        "those": those, "those_data": [_drawn(each) for each in those], "batch": batch,
        "first_curves": _first_curves(jobs),
        "left_out": batch.size - len(rows) if batch and len(rows) == MOST_CURVES else 0,
        "best": differences.best_of(jobs), "differing": _texts(differences.differing(jobs)),
        "coefficients": differences.coefficients(jobs), "metrics": differences.metrics(jobs),
        "groups": [[those[place].letter for place in group] for group in groups], "speeds": _speeds(jobs),
        "is_tutorial": _is_tutorial(jobs), "under_way": any(job.state not in FINISHED for job in jobs),
    }  # fmt: skip


def _drawn(each: Compared) -> dict[str, Any]:
    """What the script of the page knows of a job, beside its curve."""
    job = each.job
    return {
        "id": str(job.id), "name": f"{each.letter} {visible(job.name or job.stage)}", "steps": job.steps_done,
        "seconds": job.timings.get("train_seconds"),
    }  # fmt: skip


def _first_curves(jobs: Sequence[shapes.Job]) -> str | None:
    """The address of what the script draws first, so that the browser asks for it before it has the script.

    None where it may draw a range of the steps first, since some jobs have many more than others.
    """
    lengths = [job.steps_done for job in jobs]
    if not any(lengths) or max(lengths) > FAR * min(lengths):
        return None
    project = request.args.getlist("project")
    asked = {"project": project, "job": [job.id for job in jobs], "points": POINTS, "smooth": 1}
    return f"{outer_path('/v1/losses')}?{urlencode(asked, doseq=True)}"


def labels() -> Iterator[str]:
    """A, B, ... Z, AA, AB, ..."""
    yield from ascii_uppercase
    for first in ascii_uppercase:
        yield from (first + second for second in ascii_uppercase)


def _rows(connection: Connection, query: CompareQuery, batch: Row[Any] | None) -> Iterator[Row[Any]]:
    """The jobs, each once, in the order in which they are named; of a batch in that of its submission."""
    found = find_jobs(connection, query.job)
    if batch is not None:
        page = queries.jobs_newest_first(connection, current_caller().project_id, limit=1000, batch=batch.id)
        found += sorted((job for job in page.jobs if job.replaced_by is None), key=lambda job: str(job.id))
    yield from list({job.id: job for job in found}.values())[:MOST_CURVES]


def _query() -> CompareQuery:
    asked = request.args.to_dict() | {"job": [each for each in request.args.getlist("job") if each.strip()]}
    try:
        return CompareQuery.model_validate(asked)
    except ValidationError as error:
        refuse_parameters(error)
        raise


def _texts(rows: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """Values as they stand in a table: of a long list or text how long it is."""
    return {name: [_text(value) for value in values] for name, values in rows.items()}


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return f"{len(value):,} values" if len(value) > 4 else ", ".join(map(str, value))
    return value[:LONGEST_VALUE] if isinstance(value, str) else value


def _is_tutorial(jobs: Sequence[shapes.Job]) -> bool:
    """Whether they are stages of the tutorial from one seed and one start, whose curves can be explained."""
    stages = {job.stage for job in jobs}
    starts = {(job.spec.get("seed"), str(job.spec.get("init"))) for job in jobs}
    of_tutorial = {stage.name for stage in BUILT_IN}
    return len(stages) >= TUTORIAL_FROM and stages <= of_tutorial and len(starts) == 1 and starts.pop()[1] == "normal"


def _speeds(jobs: Sequence[shapes.Job]) -> list[float | None]:
    """Steps per second of each, in percent of the fastest."""
    speeds = [job.timings.get("steps_per_second") for job in jobs]
    fastest = max((speed for speed in speeds if speed), default=None)
    return [100 * speed / fastest if speed and fastest else None for speed in speeds]
