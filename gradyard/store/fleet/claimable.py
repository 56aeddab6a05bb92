"""Finds the first job that a worker may claim now. It changes nothing.

A slot leaves jobs of `device: auto` to slots of the other kind where these end them sooner (`auto.py`).
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from gradyard.jobs.fleet import Queue
from gradyard.store.fleet.auto import DeviceChoices, group_of
from gradyard.store.fleet.claim_queries import claim_queries
from gradyard.store.fleet.device_choice import DeviceChoice
from gradyard.store.fleet.workers import Capabilities, WorkerInfo
from gradyard.store.planners import prefer_order_of_index

MOST_LEFT = 32  # groups of jobs that a slot leaves at one claim; it takes the next, since to look at each costs 1 ms


def find_head(connection: Connection, worker: WorkerInfo) -> tuple[Any, DeviceChoice | None]:
    """The first job that the worker claims, its row locked, and the choice of its device where that is `auto`.

    None where there is no job, or a hold keeps the worker from claiming. A job that another worker is claiming now is
    skipped. The row has COLUMNS (`claim_queries.py`), and the highest and lowest priority in the line of the job.
    """
    if not worker.stages:
        return None, None
    at_once = connection.dialect.name == "sqlite"  # where the transaction has the one write lock
    return _first_not_left(connection, worker.capabilities, _first if at_once else _first_locked, worker.id)


def something_to_claim(connection: Connection, capabilities: Capabilities) -> bool:
    """Whether a worker of these capabilities would claim a job now. Nothing is claimed or locked."""
    return bool(capabilities.stages) and _first_not_left(connection, capabilities, _first)[0] is not None


Left = list[tuple[Any, ...]]  # groups of jobs that are left to slots of the other kind


def _first_not_left(
    connection: Connection, capabilities: Capabilities, find: Callable[..., Any], worker_id: UUID | None = None
) -> tuple[Any, DeviceChoice | None]:
    prefer_order_of_index(connection)
    choices, left = DeviceChoices(connection), Left()
    job = find(connection, capabilities, left, worker_id)
    while job is not None and job.queue == Queue.ANY:
        choice = choices.of(job)
        if len(left) == MOST_LEFT or not choice.is_left_by(capabilities.queue):
            return job, choice
        left.append(group_of(job))
        job = find(connection, capabilities, left, worker_id)
    return job, None


def _first(connection: Connection, capabilities: Capabilities, left: Left, worker_id: UUID | None) -> Any:
    """The first job of all lanes without those of the groups `left`."""
    ask, but = claim_queries(capabilities), {"left": left} if left else {}
    return connection.execute(ask.first_but_left if left else ask.first, but | {"of_worker": worker_id}).first()


def _first_locked(connection: Connection, capabilities: Capabilities, left: Left, worker_id: UUID | None) -> Any:
    """The first job that no other worker has locked: of the lane whose first job comes first, or of the next lane.

    Its row is locked then. Jobs of the groups `left` are skipped.
    """
    ask, but = claim_queries(capabilities), {"left": left} if left else {}
    lanes = connection.execute(ask.lanes_but_left if left else ask.lanes, but | {"of_worker": worker_id})
    for lane in lanes.all():
        of_lane = {"of_queue": lane.queue, "of_pool": lane.pool, "of_stage": lane.stage} | but
        job = connection.execute(ask.first_of_lane_but_left if left else ask.first_of_lane, of_lane).first()
        if job is not None:
            return job
    return None
