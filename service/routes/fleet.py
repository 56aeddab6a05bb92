"""Workers and queues: list them, drain and undrain workers, pause and resume queues."""

from collections.abc import Sequence
from typing import Any

from flask import Response
from sqlalchemy import Connection, Row

from gradyard import shapes
from gradyard.jobs.api_keys import Scope
from gradyard.jobs.audit import Action
from gradyard.jobs.errors import NotFound
from gradyard.jobs.fleet import WORKER_QUEUES, HoldKind, SlotAddress
from gradyard.jobs.submission.requests.verbs import read_reason
from gradyard.store import fleet, queries
from service import audit
from service.fleet_shown import queues_shown, workers_shown
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.json_response import json_response
from service.http.openapi import HOLD, problems, routes
from service.http.query_parameters.pages import LongPageQuery, refusing_wrong_cursors
from service.http.requests import optional_json_body
from service.http.services import current_services

UUID_LETTERS = 12  # the shortest beginning of a UUID that names a GPU

api = routes("fleet", "/v1", tag="workers")


@api.get("/workers", responses={"200": shapes.WorkerList, **problems(422)})
def list_workers(query: LongPageQuery) -> Response:
    """List the workers and the jobs that they train now."""
    with current_services().database.snapshot() as connection, refusing_wrong_cursors():
        seen, cursor = queries.workers_in_order(connection, limit=query.limit, cursor=query.cursor)
        return _workers(connection, seen, cursor)


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
            audit.note(connection, Action.DRAINED, name, reason)
        return _workers(connection, _called(connection, path.target))


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
            audit.note(connection, Action.UNDRAINED, each.name)
        shown, idle = _workers(connection, _called(connection, path.target)), fleet.idle_slots(connection)
    _ring(idle)
    return shown


@api.get("/queues", responses={"200": shapes.QueueList, **problems(422)})
def list_queues(query: parameters.ProjectQuery) -> Response:
    """List the queues: how many jobs wait and for how long, how many slots there are and how fast they are.

    An operator sees the jobs of all projects, or of the one that he names; others those of their own project.
    """
    everyone = query.project is None and current_caller().may(Scope.OPERATOR)
    with current_services().database.snapshot() as connection:
        return json_response(shapes.QueueList.of(queues=queues_shown(connection, everyone)))


@api.post(
    "/queues/<queue>/pause", responses={"200": shapes.Queue, **problems(400, 404, 413, 415, 422)},
    openapi_extensions=HOLD,
)  # fmt: skip
def pause_queue(path: parameters.QueuePath, query: parameters.HoldQuery) -> Response:
    """Pause a queue: jobs are accepted and wait; running jobs continue to their end."""
    name, reason = _queue(path.queue), read_reason(optional_json_body())
    with current_services().database.begin() as connection:
        fleet.hold(connection, HoldKind.QUEUE, name, actor=current_caller().actor, reason=reason)
        audit.note(connection, Action.PAUSED, name, reason)
        return json_response(next(each for each in queues_shown(connection) if each.name == name))


@api.post("/queues/<queue>/resume", responses={"200": shapes.Queue, **problems(404, 422)})
def resume_queue(path: parameters.QueuePath, query: parameters.NoQuery) -> Response:
    """Resume a paused queue. Changes nothing where the queue is not paused."""
    name, services = _queue(path.queue), current_services()
    with services.database.begin() as connection:
        if fleet.lift(connection, HoldKind.QUEUE, name):
            audit.note(connection, Action.RESUMED, name)
        shown = next(each for each in queues_shown(connection) if each.name == name)
        idle = fleet.idle_slots(connection)
    _ring({name: idle.get(name, 0)})
    return json_response(shown)


def _called(connection: Connection, name: str) -> list[Row[Any]]:
    """The workers that a drain calls so."""
    return [row for row in queries.workers_seen(connection) if name in _names(row)]


def _workers(connection: Connection, workers: Sequence[Row[Any]], cursor: str | None = None) -> Response:
    shown = workers_shown(connection, workers)
    return json_response(shapes.WorkerList.of(workers=shown, next_cursor=cursor))


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


def _ring(idle: dict[str, int]) -> None:
    for queue, slots in idle.items():
        if slots:
            current_services().bells.ring_many(queue, slots)
