"""The curves of several jobs in one answer."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flask import Response
from sqlalchemy import Connection, Row

from gradyard.jobs.curves import Curve
from gradyard.shapes.base import Answer
from gradyard.store import queries
from service.http.ids import find_jobs
from service.http.json_response import json_response
from service.http.kept_answers import tag_of, unchanged, with_tag
from service.http.query_parameters.curves import USUAL_POINTS, CurvesQuery
from service.http.services import Services, current_services
from service.representation.curves import CSV, CSV_TYPE, JSON, csv_lines, form_of
from service.streamed import streamed, streamed_at_once

Read = Callable[[Connection, Row[Any], int | None, int | None], Curve]
OfJobs = Sequence[tuple[Row[Any], Curve]]


def many_curves(query: CurvesQuery, read: Read, heading: str, shown: Callable[[OfJobs], Answer]) -> Response:
    """The answer to a request for curves of several jobs, each job once and in the order in which it is asked for.

    read: the curve of a job, from a step up to another, without it. heading: the first line of CSV. shown: the JSON of
    what was read.
    """
    form = form_of(JSON, CSV, what="the curves of several jobs come")
    services = current_services()
    with services.database.read() as connection:
        found = find_jobs(connection, query.job)
    jobs = list({job.id: job for job in found}.values())
    tag = tag_of(jobs, form)
    if known := unchanged(tag):
        return known
    smoothed = read if query.smooth == 1 else _smoothed(read, query)
    curves = _each(services, jobs, lambda connection, job: smoothed(connection, job, query.first, query.after))
    if form == CSV:
        lines = _lines(curves, heading, query.points)
        every_value = query.points is None
        return with_tag(streamed(lambda: lines, CSV_TYPE) if every_value else streamed_at_once(lines, CSV_TYPE), tag)
    points = query.points or USUAL_POINTS
    return with_tag(json_response(shown([(job, curve.points(points)) for job, curve in curves])), tag)


def _each(
    services: Services, jobs: Sequence[Row[Any]], read: Callable[[Connection, Row[Any]], Curve]
) -> Iterator[tuple[Row[Any], Curve]]:
    """Each job with its curve. Every one has a transaction of its own: a client that reads slowly holds up no other.

    Raises Gone where a job was deleted since it was found.
    """
    for job in jobs:
        with services.database.snapshot() as connection:
            curve = read(connection, job)
            if not len(curve.values):
                queries.job_by_id(connection, job.project_id, job.id)
        yield job, curve


def _smoothed(read: Read, query: CurvesQuery) -> Read:
    """Reads the whole curve: a mean at the edge of a range is of values beyond it, too."""
    return lambda connection, job, *_: (
        read(connection, job, None, None).smoothed(query.smooth).between(query.first, query.after)
    )


def _lines(curves: Iterator[tuple[Row[Any], Curve]], heading: str, points: int | None) -> Iterator[bytes]:
    yield f"{heading}\n".encode()
    for job, curve in curves:
        yield from csv_lines(curve if points is None else curve.points(points), f"{job.id},".encode())
