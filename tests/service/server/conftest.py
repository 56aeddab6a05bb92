"""A server of ours in this process, on a free port of loopback, with an app of the test's."""

import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from waitress import wasyncore
from waitress.adjustments import Adjustments

from service.server.bodies import Bodies
from service.server.channel import Server
from service.server.threads import Threads

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Serve = Callable[..., "Served"]


class Served:
    """A running server."""

    def __init__(self, app: App, threads: int) -> None:
        self._channels: dict[int, Any] = {}
        self.threads = Threads(threads)
        self.bodies = Bodies()
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        self.port: int = listener.getsockname()[1]
        about = (listener.family, listener.type, listener.proto, listener.getsockname())
        adjustments = Adjustments(
            cleanup_interval=0, channel_request_lookahead=0, ident=None, clear_untrusted_proxy_headers=False,
            outbuf_high_watermark=2**16, max_request_header_size=2**16, max_request_body_size=sys.maxsize,
        )  # fmt: skip
        self._server = Server(
            app, self._channels, True, listener, dispatcher=self.threads, adj=adjustments, bind_socket=False,
            sockinfo=about, bodies=self.bodies,
        )  # fmt: skip
        self._stopped = threading.Event()
        self._loop = threading.Thread(target=self._run, daemon=True)
        self._loop.start()

    def connect(self, sent: bytes = b"") -> socket.socket:
        """A new connection on which these bytes were sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(sent)
        return connection

    def connections(self) -> int:
        """How many are open."""
        return len(self._server.active_channels)

    def stop(self) -> None:
        """End it."""
        self._stopped.set()
        self._loop.join()
        self.threads.shutdown()
        wasyncore.close_all(self._channels)

    def _run(self) -> None:
        while not self._stopped.is_set():
            wasyncore.loop(timeout=0.02, map=self._channels, use_poll=True, count=1)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves apps until the test ends."""
    running: list[Served] = []

    def start(app: App, threads: int = 2) -> Served:
        running.append(Served(app, threads))
        return running[-1]

    yield start
    for each in running:
        each.stop()


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def says(connection: socket.socket, end: bytes) -> bool:
    """Whether an answer that ends so comes before the other side closes. The connection may stay open."""
    answer = b""
    while not answer.endswith(end) and (part := connection.recv(65536)):
        answer += part
    return answer.endswith(end)
