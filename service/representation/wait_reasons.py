"""Why a queued job waits, in words that its sender can act on, and when it is likely to start."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, Row

from gradyard.jobs.fleet import WORKER_QUEUES, Queue
from gradyard.jobs.states import State
from gradyard.shapes import Waiting
from gradyard.store import queries
from gradyard.store.dialects import as_datetime
from gradyard.store.fleet import DeviceChoices, able_workers
from gradyard.store.queries.dependencies.waiting import Dependency, dependencies_of
from service.representation.dependencies import why_blocked
from service.representation.holds import Held


@dataclass(frozen=True)
class Fleet:
    """The live workers, the holds on them, and which kind of device jobs of `device: auto` are left to."""

    workers: Sequence[Row[Any]]
    held: Held
    choices: Callable[[], DeviceChoices]  # made at the first question; most jobs name their device

    @classmethod
    def seen(cls, connection: Connection) -> "Fleet":
        """The live workers and the holds at this moment."""
        live = [worker for worker in queries.workers_seen(connection) if worker.alive]
        return cls(live, Held(queries.holds(connection)), cache(partial(DeviceChoices, connection)))


def why_each_waits(connection: Connection, jobs: Sequence[Row[Any]]) -> list[Waiting | None]:
    """Why each job waits, without position and start; None for a job that is not queued.

    Position and start would take a count for each job: 0.2 ms in a short queue, 60 ms in one of 200,000.
    """
    if not any(job.state == State.QUEUED for job in jobs):
        return [None] * len(jobs)
    fleet = Fleet.seen(connection)
    blocked = [job for job in jobs if job.queue == Queue.BLOCKED]
    dependencies = dependencies_of(connection, blocked) if blocked else {}
    return [_without_position(job, fleet, dependencies.get(job.id, ())) for job in jobs]


def _without_position(job: Row[Any], fleet: Fleet, dependencies: Sequence[Dependency]) -> Waiting | None:
    if job.state != State.QUEUED:
        return None
    reason = why_blocked(dependencies) if job.queue == Queue.BLOCKED else reason_of(job, fleet)
    return {"position": None, "reason": reason, "estimated_start_at": None}


def why_it_waits(connection: Connection, job: Row[Any], project_id: int) -> Waiting | None:
    """Why this job waits, its position in the queue (the first is 1), and its start; None where it is not queued.

    The start is estimated from the times of the newest jobs of the same stages. It is None where no such job finished,
    and where no worker can take the job. One that waits for other jobs has neither.
    """
    if job.state != State.QUEUED or job.queue == Queue.BLOCKED:
        return why_each_waits(connection, [job])[0]
    fleet = Fleet.seen(connection)
    ahead = queries.ahead_of(connection, job)
    start = None
    if able := _free_workers(job, fleet)[0]:
        seconds = queries.seconds_ahead(connection, project_id, able, ahead)
        free = queries.free_in_seconds(connection, able)
        start = None if seconds is None else queries.start_in_seconds(seconds, free)
    position = sum(each.count for each in ahead) + 1
    at = None if start is None else as_datetime(max(job.read_at, job.not_before or 0.0) + start)
    return {"position": position, "reason": reason_of(job, fleet), "estimated_start_at": at}


def reason_of(job: Row[Any], fleet: Fleet) -> str:
    """The first reason why a queued job is not running."""
    if job.not_before is not None and job.not_before > job.read_at:
        return f"it is retried in {math.ceil(job.not_before - job.read_at)} s"
    able, why_none = _free_workers(job, fleet)
    if not able:
        return why_none
    idle = {worker.queue for worker in able if not worker.claim_id}
    if job.queue == Queue.ANY and idle:
        return _which_kind_takes_it(job, fleet, idle)
    return "a worker is about to take it" if idle else f"every {_kind(job)}slot is busy"


def _which_kind_takes_it(job: Row[Any], fleet: Fleet, idle: set[str]) -> str:
    """The reason of a job of `device: auto` beside idle slots of these kinds, which may leave it to the other."""
    choice = fleet.choices().of(job)
    takers = [queue for queue in WORKER_QUEUES if not choice.is_left_by(queue)]
    if len(takers) > 1:
        return "a worker is about to take it"
    (taker,) = takers
    soon = f"a {taker} worker is about to take it" if taker in idle else f"every {taker} slot is busy"
    return f"{soon}; {choice.sentence(taker)}"


def _kind(job: Row[Any]) -> str:
    return "" if job.queue == Queue.ANY else f"{job.queue} "


def _free_workers(job: Row[Any], fleet: Fleet) -> tuple[list[Row[Any]], str]:
    """The live workers that may take the job and are not on hold; where there is none, the first reason."""
    able, why_none = able_workers(job, fleet.workers)
    free = [worker for worker in able if fleet.held.of_worker(worker) is None]
    return free, "" if free else why_none or fleet.held.words(able[0])
