"""Workers and queues as answers, with the holds on them: for the routes and the page."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from gradyard import shapes
from gradyard.jobs.fleet import Queue
from gradyard.store import fleet, queries
from service.http.access.callers import current_caller
from service.representation.fleet import hold_answer, worker_answer
from service.representation.holds import Held


def workers_shown(connection: Connection, workers: Sequence[Row[Any]]) -> list[shapes.Worker]:
    """These workers, each with the jobs of the caller's project that it trains now."""
    claims = [row.claim_id for row in workers if row.claim_id]
    members, held = queries.members_of(connection, current_caller().project_id, claims), Held(queries.holds(connection))
    return [worker_answer(row, members.get(row.claim_id, []), held.drain_of(row)) for row in workers]


def queues_shown(connection: Connection, everyone: bool = True) -> list[shapes.Queue]:
    """The queues; everyone: with the waiting jobs of all projects, else of the caller's alone."""
    mine = current_caller().project_id
    depths = queries.depths_of_all(connection) if everyone else queries.queue_depths(connection, mine)
    live, idle = queries.live_slots(connection), fleet.idle_slots(connection)
    rates, held = queries.jobs_per_second(connection), Held(queries.holds(connection))
    waiting = {each.queue: each.depth for each in depths}
    return [
        shapes.Queue.of(
            name=each.queue, depth=each.depth, oldest_wait_seconds=each.oldest_wait_seconds,
            idle_slots=idle.get(each.queue, 0), live_slots=live.get(each.queue, 0),
            jobs_per_second=rates.get(each.queue, 0.0),
            empty_in_seconds=_for_its_slots(each.queue, waiting) / rate if (rate := rates.get(each.queue)) else None,
            paused=hold_answer(held.of_queue(each.queue)),
        )
        for each in depths
    ]  # fmt: skip


def _for_its_slots(queue: str, waiting: dict[str, int]) -> int:
    """How many jobs wait for the slots of a queue: they take jobs of `any` as well."""
    return waiting[queue] + waiting[Queue.ANY]
