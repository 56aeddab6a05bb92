"""The overview: what runs and waits, what was finished lately, who trains what, and what went wrong."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from gradyard import shapes
from gradyard.jobs.states import State
from gradyard.store import queries
from gradyard.store.queries.page.activity import activity
from gradyard.store.queries.page.at_work import batches_under_way, names_of, running_jobs
from gradyard.store.queries.questions.streams import stages_of
from service.fleet_shown import queues_shown, workers_shown
from service.http.access.callers import current_caller
from service.http.services import current_services
from service.representation.batches import batch_summary
from service.representation.jobs import job_answer

HOUR, DAY = 3600.0, 86_400.0
BATCHES_SHOWN, FAILURES_SHOWN, WORKERS_SHOWN = 6, 6, 64


def overview() -> tuple[str, dict[str, Any]]:
    """The overview of the caller's project."""
    project = current_caller().project_id
    with current_services().database.snapshot() as connection:
        newest = queries.jobs_newest_first(connection, project, limit=1).jobs
        failed = queries.jobs_newest_first(connection, project, limit=FAILURES_SHOWN, state=State.FAILED).jobs
        seen, cursor = queries.workers_in_order(connection, limit=WORKERS_SHOWN)
        workers, stages = workers_shown(connection, seen), stages_of(connection, project)
        values = {
            "running": running_jobs(connection, project), "is_empty": not newest,
            "queues": queues_shown(connection, everyone=False), "workers": workers, "more_workers": cursor is not None,
            "pools": _pools(workers),
            "trained": names_of(connection, project, [_id(each) for each in workers if each.current_jobs]),
            "hour": activity(connection, project, HOUR, 12, stages),
            "day": activity(connection, project, DAY, 24, stages),
            "batches": _batches(connection, project), "failed": [job_answer(job, None) for job in failed],
        }  # fmt: skip
    return "overview.html", values


def _pools(workers: Sequence[shapes.Worker]) -> list[tuple[str, list[shapes.Worker]]]:
    """The slots by what they may claim: the queue, and the pool where they are in one."""
    pools: dict[tuple[str, str], list[shapes.Worker]] = {}
    for worker in workers:
        pools.setdefault((worker.queue, worker.pool or ""), []).append(worker)
    return [(f"{queue} · pool {pool}" if pool else queue, slots) for (queue, pool), slots in sorted(pools.items())]


def _id(worker: shapes.Worker) -> Any:
    """The first of the jobs that it trains."""
    return worker.current_jobs[0]


def _batches(connection: Connection, project: int) -> list[shapes.BatchSummary]:
    batches = batches_under_way(connection, project, BATCHES_SHOWN)
    counts = queries.counts_of_batches(connection, [batch.id for batch in batches])
    return [batch_summary(batch, counts[batch.id]) for batch in batches]
