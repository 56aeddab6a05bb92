"""One job whole, as its route, its last event and its page show it."""

from gradyard import shapes
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
    project = current_caller().project_id
    with current_services().database.snapshot() as connection:
        job = find_job(connection, text)
        waiting = why_it_waits(connection, job, project)
        depends_on = depends_on_of(connection, [job]).get(job.id, [])
        metrics = queries.metric_figures(connection, project, [job]).get(job.id)
    return job_answer(job, waiting, recheck_answer(current_services().database, job), metrics, depends_on)
