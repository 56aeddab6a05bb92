"""Streams of events: of a batch, of several jobs and batches, or of a whole project."""

from flask import Response

from service.http import parameters
from service.http.openapi import problems, routes
from service.http.query_parameters.live import BatchEventsQuery, ManyEventsQuery
from service.live.opened import stream_of, stream_of_project
from service.representation.live import NOTHING_MORE, STREAM

api = routes("live", "/v1", tag="events")


@api.get(
    "/batches/<batch_id>/events",
    responses={"200": STREAM, "204": NOTHING_MORE, **problems(400, 404, 406, 409, 410, 422)},
)
def watch_batch(path: parameters.BatchPath, query: BatchEventsQuery) -> Response:
    """Stream the moves of a batch's jobs, how many are in each state, the best so far, and its end, as events.

    A client that connects again with the Last-Event-ID goes on where it was.
    """
    return stream_of(batches=[path.batch_id], moves=query.moves)


@api.get("/events", responses={"200": STREAM, "204": NOTHING_MORE, **problems(400, 404, 406, 409, 410, 422)})
def watch_many(query: ManyEventsQuery) -> Response:
    """Stream what happens to several jobs and batches, or without any of them in the project, as server-sent events.

    A client that connects again with the Last-Event-ID goes on where it was; of a project it is told what is so now.
    """
    if query.job or query.batch:
        return stream_of(query.job, query.batch, query.points, moves=query.moves)
    return stream_of_project()
