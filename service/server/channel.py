"""A connection: what it sent is checked and complete before a thread sees it, and what is wrong is answered as JSON."""

import socket
import time
from contextlib import suppress
from typing import Any

from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from service.server.bodies import Bodies
from service.server.parser import Parser
from service.server.problems import ProblemTask, Refused

HEAD_SECONDS = 10.0  # for the head of a request, and for its first byte on a new connection
BYTES_A_SECOND = 32 * 1024  # of a body, on the average
STALLED_SECONDS = 60.0  # that a client may leave its answer untaken
TAKEN_A_SECOND = 4 * 1024  # bytes of an answer that is waiting for its client, on the average after the first minute
LINGER_SECONDS = 2.0  # in which what is not wanted is read: else its sender would get a reset, and perhaps no answer


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection."""

    parser_class = Parser
    error_task_class = ProblemTask
    request: Any
    will_close: bool

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.began: float | None = time.monotonic()  # when the request began that is not complete yet
        self.counted = 0  # bytes of that request, as `bodies` knows them
        self.empty_at = self.looked_at = time.monotonic()
        self.waited = 0.0  # seconds for which its client has left a part of the answer, less those when there was none
        self.taken = 0  # bytes meanwhile
        self.lingers = False
        self.linger_until: float | None = None

    def handle_read(self) -> None:
        """Take what the client has sent of one request. What came after it stays in the socket until it is answered."""
        try:
            data = self.socket.recv(self.adj.recv_bytes, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            self.handle_close()
            return
        if data:
            self.last_activity = time.time()
            self.socket.recv(self.received(data))
        elif self.request is not None:
            self._refuse(Refused(400, "the request ended before it was whole; nothing was done", "body_incomplete"))
        else:
            self.handle_close()

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
        is_open = self.socket is not None and self.linger_until is None
        if not (is_open and (self.lingers or self._has_unread())):
            super().handle_close()
            return
        self.linger_until = time.monotonic() + LINGER_SECONDS
        self.will_close = self.close_when_flushed = False
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def _has_unread(self) -> bool:
        try:
            return bool(self.socket.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Hand bytes of an answer to the system. Returns how many it took."""
        sent: int = super().send(data, do_close)
        self.taken += sent
        return sent

    def received(self, data: bytes) -> int:
        """Take bytes of the present request, or of the next one. Returns how many."""
        if self.linger_until is not None or self.will_close or self.close_when_flushed:
            return len(data)
        taken = 0
        while taken < len(data) and not self.requests:
            if self.request is None:
                self.request = Parser(self.adj, self.server.bodies)
                self.began = self.began or time.monotonic()
            taken += self.request.received(data[taken:])
            if self.request.completed:
                self._hand_over()
            elif self.request.expect_continue and self.request.headers_finished and not self.sent_continue:
                self.send_continue()
        if not self._count():
            self._refuse(Refused(503, "too many requests are half sent; send it again in a moment", "too_many_bodies"))
        return taken

    def look(self, now: float) -> None:
        """Close the connection of a client that is too slow. now: by the monotonic clock."""
        if self.linger_until is not None:
            if now > self.linger_until:
                super().handle_close()
        elif self._is_stalled(now):
            super().handle_close()  # at once: it would wait until its client takes something
        elif not self.requests and not self.total_outbufs_len and self._is_late(now):
            self._refuse(Refused(408, "the request did not arrive whole in time; send it again"))

    def _is_stalled(self, now: float) -> bool:
        passed, self.looked_at = now - self.looked_at, now
        if self.total_outbufs_len:
            self.waited += passed
        else:
            self.empty_at, self.waited = now, max(0.0, self.waited - passed)
            self.taken = self.taken if self.waited else 0
        has_taken_nothing = now - max(self.empty_at, self._last_sent()) > STALLED_SECONDS
        return has_taken_nothing or self.waited > STALLED_SECONDS + self.taken / TAKEN_A_SECOND

    def _is_late(self, now: float) -> bool:
        if time.time() - self.last_activity > self.adj.channel_timeout:
            return True
        return self.began is not None and now > self.began + HEAD_SECONDS + self._body_seconds()

    def _last_sent(self) -> float:
        return time.monotonic() - (time.time() - self.last_activity)

    def _body_seconds(self) -> float:
        received: int = 0 if self.request is None else self.request.body_bytes_received
        return received / BYTES_A_SECOND

    def _refuse(self, error: Refused) -> None:
        """Answer the request that has begun with an error, if one has, and close."""
        if self.request is None or not self.request.header_bytes_received:
            self.will_close = True
            return
        self.request.error = error
        self.request.completed = True
        self._hand_over()
        self._count()

    def _hand_over(self) -> None:
        """Have a thread answer the request, which is complete."""
        request, self.request, self.began, self.sent_continue = self.request, None, None, False
        with self.requests_lock:
            self.requests.append(request)
        self.server.add_task(self)

    def _count(self) -> bool:
        """Count what has come of an unfinished request. Returns False where all of them are too much."""
        before, self.counted = self.counted, 0 if self.request is None else self.request.bytes_received()
        fits: bool = self.server.bodies.change(before, self.counted)
        return fits

    def del_channel(self, map: Any = None) -> None:
        """Forget the connection, which is closed."""
        self.request = None
        self._count()
        super().del_channel(map)


class Server(TcpWSGIServer):  # type: ignore[misc]
    """The connections of one listening socket. bodies: of all listening sockets of this process."""

    channel_class = Channel

    def __init__(self, *arguments: Any, bodies: Bodies, **options: Any) -> None:
        self.bodies = bodies
        super().__init__(*arguments, **options)

    def maintenance(self, now: float) -> None:
        """Close what is idle or too slow; called every few seconds."""
        for channel in list(self.active_channels.values()):
            channel.look(time.monotonic())
