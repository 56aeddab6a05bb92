"""Streams as routes open them: about which things, and from where on."""

from collections.abc import Sequence
from uuid import UUID

from flask import Response, request
from werkzeug.exceptions import NotAcceptable

from gradyard.shapes.live import EVENT_STREAM
from service.http.access.callers import current_caller
from service.http.ids import Kind, find_batch, find_id, find_job
from service.http.services import current_services
from service.live.answers import live_response
from service.live.positions import BatchPosition, JobPosition, positions_in
from service.live.tellers.teller import Teller
from service.live.tellers.things import BatchTeller, JobTeller, ProjectTeller
from service.live.tellers.told_of_jobs import STEPS_OF_A_MESSAGE

EVERY = "all"
Points = int | str | None
"""At most so many losses in one message; `all`: every loss; None: the usual number."""


def stream_of(
    jobs: Sequence[str] = (), batches: Sequence[str] = (), points: Points = None, *, moves: bool = True
) -> Response:  # fmt: skip
    """A stream of these jobs and batches, by their ids or beginnings of them, from the request's Last-Event-ID on.

    Raises NotFound, Gone or AmbiguousId where there is no such one. Where a stream goes on, one that is gone by now is
    told of as such, beside the others. moves: tell those of the batches' jobs.
    Raises HeaderInvalid where the Last-Event-ID is of another stream.
    """
    things: list[tuple[Kind, UUID]] = list(dict.fromkeys([
        *(("job", each) for each in _ids(jobs, "job")), *(("batch", each) for each in _ids(batches, "batch"))
    ]))  # fmt: skip
    _check_stream_is_asked_for()
    kinds = [JobPosition if kind == "job" else BatchPosition for kind, _ in things]
    positions = positions_in(_last_event_id(), kinds)
    most = None if points == EVERY else STEPS_OF_A_MESSAGE if points is None else int(points)
    tellers: list[Teller] = []
    for (_, thing_id), position in zip(things, positions, strict=True):
        about = current_services(), current_caller().project_id, thing_id
        if isinstance(position, JobPosition):
            tellers.append(JobTeller(*about, position, most))
        else:
            tellers.append(BatchTeller(*about, position, moves))
    return live_response(tellers)


def stream_of_project() -> Response:
    """A stream of the caller's project as a whole, from now on."""
    _check_stream_is_asked_for()
    project_id = current_caller().project_id
    return live_response([ProjectTeller(current_services(), project_id, UUID(int=project_id), BatchPosition())])


def _ids(texts: Sequence[str], kind: Kind) -> list[UUID]:
    find = {"job": find_job, "batch": find_batch}[kind]
    with current_services().database.read() as connection:
        if _last_event_id():
            return [find_id(connection, each, kind) for each in texts]
        return [find(connection, each).id for each in texts]


def _check_stream_is_asked_for() -> None:
    """Raise NotAcceptable unless the request says that it takes a stream: no other client waits for one without end."""
    if EVENT_STREAM not in request.accept_mimetypes.values():
        raise NotAcceptable(f"this comes as a stream; send Accept: {EVENT_STREAM}")


def _last_event_id() -> str | None:
    return request.headers.get("Last-Event-ID")
