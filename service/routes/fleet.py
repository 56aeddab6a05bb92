"""Workers and queues: list them, drain and undrain workers, pause and resume queues."""

from typing import Any

from flask import Response
from sqlalchemy import Connection, Row

from gradyard import shapes
from gradyard.jobs.api_keys import Scope
from gradyard.jobs.errors import NotFound
from gradyard.jobs.fleet import WORKER_QUEUES, HoldKind, Queue, SlotAddress
from gradyard.jobs.submission.verb_requests import read_reason
from gradyard.store import fleet, queries
from service.http import parameters
from service.http.callers import current_caller
from service.http.json_response import json_response
from service.http.openapi import HOLD, problems, routes
from service.http.requests import optional_json_body
from service.http.services import current_services
from service.representation.fleet import hold_answer, worker_answer
from service.representation.holds import Held

UUID_LETTERS = 12  # the shortest beginning of a UUID that names a GPU

api = routes("fleet", "/v1", tag="workers")


@api.get("/workers", responses={"200": shapes.WorkerList, **problems(422)})
def list_workers(query: parameters.NoQuery) -> Response:
    """List the workers and the jobs that they train now."""
    with current_services().database.read() as connection:
        return _workers(connection)


@api.post(
    "/workers/<target>/drain", responses={"200": shapes.WorkerList, **problems(400, 404, 413, 415, 422)},
    openapi_extensions=HOLD,
)  # fmt: skip
def drain_workers(path: parameters.DrainPath, query: parameters.HoldQuery) -> Response:
    """Drain a host, slot or GPU: it finishes its jobs and claims no more, also after a restart."""
    reason = read_reason(optional_json_body())
    with current_services().database.begin() as connection:
        for kind, name in _targets(connection, path.target):
            fleet.hold(connection, kind, name, actor=current_caller().actor, reason=reason)
        return _workers(connection, path.target)


@api.post("/workers/<target>/undrain", responses={"200": shapes.WorkerList, **problems(404, 422)})
def undrain_workers(path: parameters.DrainPath, query: parameters.NoQuery) -> Response:
    """Let a drained host, slot or GPU claim jobs again; with a slot also its GPU."""
    services = current_services()
    with services.database.begin() as connection:
        gpus = queries.gpus_at(connection, path.target)
        drained = [each for each in queries.holds(connection) if _is_called(each, path.target, gpus)]
        if not drained:
            raise NotFound(f"no host, slot or GPU {path.target} is drained")
        for each in drained:
            fleet.lift(connection, each.kind, each.name)
        shown, idle = _workers(connection, path.target), fleet.idle_slots(connection)
    _ring(idle)
    return shown


@api.get("/queues", responses={"200": shapes.QueueList, **problems(422)})
def list_queues(query: parameters.NoQuery) -> Response:
    """List the queues: how many jobs wait and for how long, how many slots there are and how fast they are.

    An administrator sees the jobs of all projects, others those of their own project.
    """
    with current_services().database.read() as connection:
        return json_response(shapes.QueueList.of(queues=_queues(connection)))


@api.post(
    "/queues/<queue>/pause", responses={"200": shapes.Queue, **problems(400, 404, 413, 415, 422)},
    openapi_extensions=HOLD,
)  # fmt: skip
def pause_queue(path: parameters.QueuePath, query: parameters.HoldQuery) -> Response:
    """Pause a queue: jobs are accepted and wait; running jobs continue to their end."""
    name, reason = _queue(path.queue), read_reason(optional_json_body())
    with current_services().database.begin() as connection:
        fleet.hold(connection, HoldKind.QUEUE, name, actor=current_caller().actor, reason=reason)
        return json_response(next(each for each in _queues(connection) if each.name == name))


@api.post("/queues/<queue>/resume", responses={"200": shapes.Queue, **problems(404, 422)})
def resume_queue(path: parameters.QueuePath, query: parameters.NoQuery) -> Response:
    """Resume a paused queue. Changes nothing where the queue is not paused."""
    name, services = _queue(path.queue), current_services()
    with services.database.begin() as connection:
        fleet.lift(connection, HoldKind.QUEUE, name)
        shown = next(each for each in _queues(connection) if each.name == name)
        idle = fleet.idle_slots(connection)
    _ring({name: idle.get(name, 0)})
    return json_response(shown)


def _workers(connection: Connection, name: str | None = None) -> Response:
    workers = {row.id: row for row in queries.workers_seen(connection)}
    claims = [row.claim_id for row in workers.values() if row.claim_id]
    members, held = queries.members_of(connection, current_caller().project_id, claims), Held(queries.holds(connection))
    shown = [
        worker_answer(row, members.get(row.claim_id, []), held.drain_of(row))
        for row in workers.values() if name is None or name in _names(row)
    ]  # fmt: skip
    return json_response(shapes.WorkerList.of(workers=shown))


def _names(worker: Row[Any]) -> tuple[str | None, ...]:
    """What a drain may call the worker: its host, slot, slot address or GPU."""
    return worker.host, worker.slot, str(SlotAddress(worker.slot, worker.host)), worker.device_uuid


def _targets(connection: Connection, name: str) -> list[tuple[HoldKind, str]]:
    if targets := queries.drain_targets_named(connection, name):
        return targets
    raise NotFound(f"no host, slot or GPU is called {name}; `gradyard workers` lists them")


def _is_called(hold: Any, name: str, gpus: set[str]) -> bool:
    if hold.kind == HoldKind.GPU:
        return hold.name in gpus or (len(name) >= UUID_LETTERS and hold.name.startswith(name))
    if hold.kind == HoldKind.SLOT:
        return name in (hold.name, hold.name.partition("@")[0])
    return bool(hold.kind == HoldKind.HOST and name == hold.name)


def _queue(name: str) -> str:
    if name not in WORKER_QUEUES:
        raise NotFound(f"there is no queue {name}; there are cpu and gpu")
    return name


def _queues(connection: Connection) -> list[shapes.Queue]:
    caller = current_caller()
    all_projects = caller.may(Scope.ADMIN)
    depths = queries.depths_of_all(connection) if all_projects else queries.queue_depths(connection, caller.project_id)
    live, idle = queries.live_slots(connection), fleet.idle_slots(connection)
    rates, held = queries.jobs_per_second(connection), Held(queries.holds(connection))
    live[Queue.ANY], idle[Queue.ANY], rates[Queue.ANY] = sum(live.values()), sum(idle.values()), sum(rates.values())
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
    return sum(waiting.values()) if queue == Queue.ANY else waiting[queue] + waiting[Queue.ANY]


def _ring(idle: dict[str, int]) -> None:
    for queue, slots in idle.items():
        if slots:
            current_services().bells.ring_many(queue, slots)
