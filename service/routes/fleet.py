"""Workers and queues: who trains, what they train, what waits for them; to drain and to pause them."""

from typing import Any

from flask import Response
from sqlalchemy import Connection

from gradyard import shapes
from gradyard.jobs.api_keys import Scope
from gradyard.jobs.errors import NotFound
from gradyard.store import fleet, queries
from service.http import parameters
from service.http.callers import current_caller
from service.http.json_response import json_response
from service.http.openapi import problems, routes
from service.http.services import current_services
from service.representation.fleet import hold_answer, worker_answer
from service.representation.holds import Held

QUEUES = ("cpu", "gpu")
UUID_LETTERS = 12  # of a GPU's UUID, at least, name it

api = routes("workers", "/v1")


@api.get("/workers", responses={"200": shapes.WorkerList, **problems(422)})
def list_workers(query: parameters.NoQuery) -> Response:
    """List the workers and the jobs that they train now."""
    with current_services().database.read() as connection:
        return _workers(connection)


@api.post("/workers/<place>/drain", responses={"200": shapes.WorkerList, **problems(404, 422)})
def drain_workers(path: parameters.DrainPath, query: parameters.HoldQuery) -> Response:
    """Drain a host, slot or GPU: it trains what it holds to its end and takes nothing more, also after a restart."""
    with current_services().database.begin() as connection:
        for kind, name in _places(connection, path.place):
            fleet.hold(connection, kind, name, actor=current_caller().actor, reason=query.reason)
        return _workers(connection, path.place)


@api.post("/workers/<place>/undrain", responses={"200": shapes.WorkerList, **problems(404, 422)})
def undrain_workers(path: parameters.DrainPath, query: parameters.NoQuery) -> Response:
    """Let a host, a slot or a GPU take jobs again; a slot's GPU with it."""
    services = current_services()
    with services.database.begin() as connection:
        gpus = queries.gpus_at(connection, path.place)
        drained = [each for each in queries.holds(connection) if _is_called(each, path.place, gpus)]
        if not drained:
            raise NotFound(f"no host, slot or GPU {path.place} is drained")
        for each in drained:
            fleet.lift(connection, each.kind, each.name)
        shown, idle = _workers(connection, path.place), fleet.idle_slots(connection)
    _ring(idle)
    return shown


@api.get("/queues", responses={"200": shapes.QueueList, **problems(422)})
def list_queues(query: parameters.NoQuery) -> Response:
    """List the queues: what waits, how long the oldest has, how many slots there are and how fast they are.

    What waits is that of all projects for an administrator, else the project's own.
    """
    with current_services().database.read() as connection:
        return json_response(shapes.QueueList.of(queues=_queues(connection)))


@api.post("/queues/<queue>/pause", responses={"200": shapes.Queue, **problems(404, 422)})
def pause_queue(path: parameters.QueuePath, query: parameters.HoldQuery) -> Response:
    """Pause a queue: jobs are accepted and wait; what is trained now is trained to its end."""
    name = _queue(path.queue)
    with current_services().database.begin() as connection:
        fleet.hold(connection, "queue", name, actor=current_caller().actor, reason=query.reason)
        return json_response(next(each for each in _queues(connection) if each.name == name))


@api.post("/queues/<queue>/resume", responses={"200": shapes.Queue, **problems(404, 422)})
def resume_queue(path: parameters.QueuePath, query: parameters.NoQuery) -> Response:
    """Go on with a queue; one that is not paused stays as it is."""
    name, services = _queue(path.queue), current_services()
    with services.database.begin() as connection:
        fleet.lift(connection, "queue", name)
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
        for row in workers.values() if name in (None, row.host, row.slot, f"{row.slot}@{row.host}", row.device_uuid)
    ]  # fmt: skip
    return json_response(shapes.WorkerList.of(workers=shown))


def _places(connection: Connection, name: str) -> list[tuple[str, str]]:
    if found := queries.drain_targets_named(connection, name):
        return found
    raise NotFound(f"no host, slot or GPU is called {name}; `gradyard workers` lists them")


def _is_called(hold: Any, name: str, gpus: set[str]) -> bool:
    if hold.kind == "gpu":
        return hold.name in gpus or (len(name) >= UUID_LETTERS and hold.name.startswith(name))
    return hold.kind != "queue" and name in (hold.name, hold.name.partition("@")[0] if hold.kind == "slot" else None)


def _queue(name: str) -> str:
    if name not in QUEUES:
        raise NotFound(f"there is no queue {name}; there are cpu and gpu")
    return name


def _queues(connection: Connection) -> list[shapes.Queue]:
    caller = current_caller()
    all_projects = caller.may(Scope.ADMIN)
    depths = queries.depths_of_all(connection) if all_projects else queries.queue_depths(connection, caller.project_id)
    live, idle = queries.live_slots(connection), fleet.idle_slots(connection)
    rates, held = queries.jobs_per_second(connection), Held(queries.holds(connection))
    live["any"], idle["any"], rates["any"] = sum(live.values()), sum(idle.values()), sum(rates.values())
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
    """How much waits for the slots of a queue: they take jobs of `any` as well."""
    return sum(waiting.values()) if queue == "any" else waiting[queue] + waiting["any"]


def _ring(idle: dict[str, int]) -> None:
    for queue, slots in idle.items():
        if slots:
            current_services().bells.ring_many(queue, slots)
