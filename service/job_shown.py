"""One job whole, as its route, its last event and its page show it."""

from typing import Any

from sqlalchemy import Connection, Row

from gradyard import shapes
from gradyard.jobs.states import State
from gradyard.store import queries
from service.http.access.callers import current_caller
from service.http.ids import find_job
from service.http.services import current_services
from service.rechecks import recheck_answer
from service.representation.dependencies import depends_on_of
from service.representation.jobs import job_answer
from service.representation.wait_reasons import why_it_waits


def job_shown(text: str) -> shapes.Job:
    """The caller's job of that id, with its place in the queue, its metrics, and what its recheck has shown.

    Raises NotFound, Gone or AmbiguousId as `find_job` does.
    """
    database, told = current_services().database, None
    with database.read() as connection:
        job = find_job(connection, text)
        if _tells_all(job):  # most that are asked for: no snapshot, and half the round trips
            told = _told(connection, job)
    if told is None:
        with database.snapshot() as connection:
            job = find_job(connection, text)
            told = _told(connection, job)
    waiting, metrics, depends_on = told
    return job_answer(job, waiting, recheck_answer(database, job), metrics, depends_on)


def _tells_all(job: Row[Any]) -> bool:
    return job.state != State.QUEUED and job.wait_id is None and not job.has_metrics


def _told(connection: Connection, job: Row[Any]) -> tuple[Any, Any, Any]:
    project = current_caller().project_id
    waiting = why_it_waits(connection, job, project)
    metrics = queries.metric_figures(connection, project, [job]).get(job.id)
    return waiting, metrics, depends_on_of(connection, [job]).get(job.id, [])
