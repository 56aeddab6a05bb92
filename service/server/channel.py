"""A connection: what it sent is checked and complete before a thread sees it, and what is wrong is answered as JSON."""

import logging
import socket
import time
from contextlib import suppress
from typing import Any

from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask
from waitress.utilities import Error

from gradyard.jobs.visible_text import visible
from gradyard.shapes import Problem
from service.http.json_response import dump_json
from service.server.parser import Parser

HEAD_SECONDS = 10.0  # for the head of a request, and for its first byte on a new connection
BYTES_A_SECOND = 32 * 1024  # of a body, on the average
STALLED_SECONDS = 60.0  # that a client may leave its answer untaken
LINGER_SECONDS = 2.0  # in which the rest of a refused request is read: else its sender would get no answer, but a reset

PROBLEM = "application/problem+json"

logger = logging.getLogger(__name__)


class RequestTimeout(Error):  # type: ignore[misc]  # Waitress has no types
    """The request did not arrive in time."""

    code = 408
    reason = "Request Timeout"


class RequestIncomplete(Error):  # type: ignore[misc]
    """The sender ended in the middle of the request."""

    code = 400
    reason = "Bad Request"
    kind = "body_incomplete"


class ProblemTask(ErrorTask):  # type: ignore[misc]
    """Answers a request that could not be read, and closes its connection."""

    def execute(self) -> None:
        """Write the answer."""
        error = self.request.error
        body = problem_of(error)
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", PROBLEM))
        self.set_close_on_finish()
        self.channel.lingers = True
        self.content_length = len(body)
        logger.info("%s refused with %s: %s", self.channel.addr[0], error.code, error.body)
        self.write(body)


def problem_of(error: Error) -> bytes:
    """The JSON of a problem."""
    kind = getattr(error, "kind", error.reason.lower().replace(" ", "_"))
    return dump_json(Problem.of(type=kind, title=error.reason, status=error.code, detail=visible(str(error.body))))


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection."""

    parser_class = Parser
    error_task_class = ProblemTask
    request: Any
    will_close: bool

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.began: float | None = time.monotonic()  # when the request began that is not complete yet
        self.sent_at = time.monotonic()
        self.lingers = False
        self.linger_until: float | None = None

    def handle_read(self) -> None:
        """Take what the client has sent, or the end of it."""
        if self.request is not None and self.check_client_disconnected():
            self._refuse(RequestIncomplete("the request ended before it was whole; nothing of it was done"))
        else:
            super().handle_read()

    def check_client_disconnected(self) -> bool:
        """Whether the client sends no more. It may still take an answer, as one that closed only its sending half."""
        try:
            return not self.connected or not self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False  # it is open, and has sent nothing more
        except OSError:
            return True

    def handle_close(self) -> None:
        """Close, or read on for a moment what is not wanted any more."""
        if not self.lingers or self.linger_until is not None:
            super().handle_close()
            return
        self.linger_until = time.monotonic() + LINGER_SECONDS
        self.will_close = self.close_when_flushed = False
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def received(self, data: bytes) -> bool:
        """Take bytes of a request, or of several."""
        if self.linger_until is not None:
            return False
        taken: bool = super().received(data)
        self.began = None if self.request is None else self.began or time.monotonic()
        return taken

    def look(self, now: float) -> None:
        """Close the connection of a client that is too slow. now: by the monotonic clock."""
        if self.linger_until is not None and now > self.linger_until:
            super().handle_close()
        elif self.requests and self._is_stalled(now):
            super().handle_close()  # at once: it would wait until its client takes something
        elif not self.requests and self.began is not None and now > self.began + HEAD_SECONDS + self._body_seconds():
            self._refuse(RequestTimeout("the request did not arrive whole in time; send it again"))

    def _is_stalled(self, now: float) -> bool:
        if not self.total_outbufs_len:
            self.sent_at = now
        return now - max(self.sent_at, self._last_sent()) > STALLED_SECONDS

    def _last_sent(self) -> float:
        return time.monotonic() - (time.time() - self.last_activity)

    def _body_seconds(self) -> float:
        received: int = 0 if self.request is None else self.request.body_bytes_received
        return received / BYTES_A_SECOND

    def _refuse(self, error: Error) -> None:
        """Answer the request that has begun with an error, if one has, and close."""
        request, self.request, self.began = self.request, None, None
        if request is None or not request.header_bytes_received:
            self.will_close = True
            return
        request.error = error
        request.completed = True
        with self.requests_lock:
            self.requests.append(request)
        self.server.add_task(self)


class Server(TcpWSGIServer):  # type: ignore[misc]
    """The connections of one listening socket."""

    channel_class = Channel

    def maintenance(self, now: float) -> None:
        """Close what is idle or too slow; called every few seconds."""
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            channel.look(time.monotonic())
