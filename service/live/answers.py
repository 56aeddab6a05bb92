"""An answer that goes on until all is told: a stream of events."""

import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus

from flask import Response

from gradyard import shapes
from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.shapes.live import EVENT_STREAM, MessageName
from service.http.access.callers import Caller, current_caller
from service.http.services import Services, current_services
from service.live.client_left import ask_whether_client_left
from service.live.messages import COMMENT, OPENING, Message
from service.live.positions import as_id
from service.live.streams import Stream
from service.live.subjects import KeySubject, SessionSubject, Which
from service.live.tellers.teller import Teller

COMMENT_SECONDS = 15.0
LOOK_SECONDS = 3.0  # between two looks whether the client is still there
AGAIN_SECONDS = 1.0  # after which what could not be read is read again
KEY_ENDED = "the key was revoked or has expired, or the session has ended, while the stream was open"


def live_response(tellers: Sequence[Teller]) -> Response:
    """A stream of these tellers' messages. Where all of them have told the end before, 204, and browsers stop asking.

    Raises TooManyStreams where no place is free.
    """
    if all(teller.position.ended for teller in tellers):
        return Response(status=HTTPStatus.NO_CONTENT)
    services, caller = current_services(), current_caller()
    services.stream_places.take(caller.project_id, len(tellers))
    parts = _parts(services, caller, tellers, _Clock())
    response = Response(parts, content_type=f"{EVENT_STREAM}; charset=utf-8")
    response.call_on_close(lambda: services.stream_places.give_back(caller.project_id, len(tellers)))
    response.headers["X-Accel-Buffering"] = "no"  # nginx sends each message on at once
    response.headers["Vary"] = "Accept"
    return response


class _Clock:
    """When the last bytes were sent, and whether the client is still there. Made where the request is known."""

    def __init__(self) -> None:
        self.client_has_left = ask_whether_client_left()
        self.sent_at = time.monotonic()


def _parts(services: Services, caller: Caller, tellers: Sequence[Teller], clock: _Clock) -> Iterator[bytes]:
    """The bytes. The thread is lent all the while: what it does is to wait for the watcher, and for its client."""
    key = _what_opens_it(services, caller)
    with services.waiting_room.lend(), services.streams.open([*(each.which for each in tellers), *key]) as stream:
        yield OPENING
        while not stream.is_closed():
            for part in _news(stream, tellers):
                if stream.is_closed() or _has_ended(stream, key):  # a long curve takes its time
                    break
                clock.sent_at = time.monotonic()
                yield part
            if _has_ended(stream, key):
                yield _ended_with_its_key()
                return
            if all(teller.position.ended for teller in tellers):
                return
            if not stream.wait(LOOK_SECONDS) and clock.client_has_left():
                return
            if time.monotonic() - clock.sent_at >= COMMENT_SECONDS - LOOK_SECONDS / 2:
                clock.sent_at = time.monotonic()
                yield COMMENT


def _what_opens_it(services: Services, caller: Caller) -> list[Which]:
    """The key of its caller, and the session of a browser: with each of them the stream ends."""
    idle_seconds = services.settings.page_idle_hours * 3600
    key: list[Which] = [(KeySubject, caller.digest)] if caller.digest else []
    return [*key, *([(SessionSubject, (caller.session, idle_seconds))] if caller.session else [])]


def _news(stream: Stream, tellers: Sequence[Teller]) -> Iterator[bytes]:
    """What is due of everything. Where the database does not answer it comes later: the connection stays."""
    for teller in tellers:
        if not stream.is_known(teller.which):
            continue
        try:
            for message in teller.tell(stream.head(teller.which)):
                last_id = None if message.position is None else as_id(each.position for each in tellers)
                yield message.encoded(last_id)
        except DatabaseUnavailable:
            stream.wait(AGAIN_SECONDS)
            stream.look_again()
            return


def _has_ended(stream: Stream, key: Sequence[Which]) -> bool:
    return any(stream.is_known(which) and not stream.head(which) for which in key)


def _ended_with_its_key() -> bytes:
    phrase = HTTPStatus.UNAUTHORIZED.phrase
    problem = shapes.Problem.of(type=phrase.lower(), title=phrase, status=HTTPStatus.UNAUTHORIZED, detail=KEY_ENDED)
    return Message.of(MessageName.PROBLEM, problem).encoded(None)
