"""Answers that are sent while they are made, to clients that may take them slowly."""

from collections.abc import Callable, Iterable, Iterator

from flask import Response, request
from werkzeug.exceptions import HTTPVersionNotSupported, Unauthorized

from service.http.access.callers import Caller, current_caller
from service.http.services import Services, current_services

BLOCK_BYTES = 2**18
TOO_OLD = (
    "this answer needs HTTP/1.1: in 1.0 it would have no end of its own, and one that breaks off would look whole. "
    "Behind nginx set proxy_http_version 1.1"
)

Parts = Iterable[bytes]


def streamed(parts: Callable[[], Parts], content_type: str) -> Response:
    """An answer of any length. It has a place among the exports from before `parts` is called until its client left.

    Raises TooManyExports where there is none, HTTPVersionNotSupported for a request by HTTP/1.0.
    """
    _check_protocol()
    services, project = current_services(), current_caller().project_id
    services.export_places.take(project)
    try:
        response = streamed_at_once(parts(), content_type)
    except BaseException:
        services.export_places.give_back(project)
        raise
    response.call_on_close(lambda: services.export_places.give_back(project))
    return response


def streamed_at_once(parts: Parts, content_type: str) -> Response:
    """An answer of a bounded length, which needs no place. Raises HTTPVersionNotSupported as `streamed` does."""
    _check_protocol()
    return Response(_taken_slowly(current_services(), current_caller(), parts), content_type=content_type)


def _check_protocol() -> None:
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
        raise HTTPVersionNotSupported(TOO_OLD)


def _taken_slowly(services: Services, caller: Caller, parts: Parts) -> Iterator[bytes]:
    """The parts in blocks. While the client takes one, another request may have this thread's place.

    Where the key is revoked or the session ends meanwhile, the connection breaks, which no client of HTTP/1.1 takes for
    the end.
    """
    lend = services.waiting_room.lend
    for block in _blocks(parts):
        if not services.sessions.still_opens(caller):
            raise Unauthorized("the key was revoked, or the session has ended, while the answer was under way")
        with lend():
            yield block


def _blocks(parts: Parts) -> Iterator[bytes]:
    """The parts in blocks of BLOCK_BYTES up to twice that; the last one may be shorter.

    What is longer than the server keeps in memory (`IN_MEMORY_BYTES` of its worker) it writes to a temporary file.
    """
    block, size = list[bytes](), 0
    for part in _short(parts):
        block.append(part)
        size += len(part)
        if size >= BLOCK_BYTES:
            yield b"".join(block) if len(block) > 1 else part
            block, size = [], 0
    yield b"".join(block)


def _short(parts: Parts) -> Iterator[bytes]:
    for part in parts:
        if len(part) <= BLOCK_BYTES:
            yield part
        else:
            yield from (part[start : start + BLOCK_BYTES] for start in range(0, len(part), BLOCK_BYTES))
