"""Workers and queues: who trains, what they train, what waits for them."""

from flask import Response

from jobs import queries
from service import parameters, schemas
from service.openapi import problems, routes
from service.representation import answer, worker_as_json
from service.resources import DEFAULT_PROJECT, resources

api = routes("workers", "/v1")


@api.get("/workers", responses={"200": schemas.WorkerList, **problems(422)})
def list_workers(query: parameters.NoQuery) -> Response:
    """List the workers and the jobs that they train now."""
    with resources().database.read() as connection:
        workers = {row.id: row for row in queries.workers_seen(connection)}
        claims = [row.claim_id for row in workers.values() if row.claim_id]
        members = queries.members_of(connection, DEFAULT_PROJECT, claims)
    shown = [worker_as_json(row, members.get(row.claim_id, [])) for row in workers.values()]
    return answer({"workers": shown})


@api.get("/queues", responses={"200": schemas.QueueList, **problems(422)})
def list_queues(query: parameters.NoQuery) -> Response:
    """List the queues: what waits, how long the oldest has, and how many slots there are."""
    with resources().database.read() as connection:
        depths = queries.queue_depths(connection, DEFAULT_PROJECT)
        live, idle = queries.live_slots(connection), queries.idle_slots(connection)
    live["any"], idle["any"] = sum(live.values()), sum(idle.values())
    return answer({"queues": [
        {
            "name": each.queue, "depth": each.depth, "oldest_wait_seconds": each.oldest_wait_seconds,
            "idle_slots": idle.get(each.queue, 0), "live_slots": live.get(each.queue, 0),
        }
        for each in depths
    ]})  # fmt: skip
