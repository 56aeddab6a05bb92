"""gunicorn's worker: `--worker-class service.server.worker.Worker`."""

import os
import resource
import sys
import time
from typing import Any

from gunicorn.workers.base import Worker as GunicornWorker
from waitress import wasyncore
from waitress.adjustments import Adjustments

from gradyard.jobs import settings as environment
from gradyard.jobs.settings import Settings
from service.garbage_collector import collector_at_rest, spare_what_is_loaded
from service.server.bodies import Bodies
from service.server.channel import Channel, Server
from service.server.threads import Threads

HEAD_BYTES = 65_536
IN_MEMORY_BYTES = 512 * 1024  # of one request or one answer; what is longer goes to a temporary file
WAITING_BYTES = 2**21  # of an answer that its client does not take: its thread waits then
MOST_CONNECTIONS = 8192
OTHER_FILES = 768  # that this process may need beside its connections; half-sent bodies are in 256 of them at most
UNFINISHED_BYTES = 2**27  # of all requests that have not arrived whole
LOOK_SECONDS = 2  # between two looks at slow connections


class Worker(GunicornWorker):  # type: ignore[misc]  # gunicorn has no types
    """One process of the API.

    One thread, the event loop, holds all connections: those that are idle, send half a request or take their answer
    slowly cost a socket each. A request goes to a thread of `Threads` when it has arrived whole.
    """

    def load_wsgi(self) -> None:
        """Load the app. Collections of garbage meanwhile would be a fifth of the time."""
        with collector_at_rest():
            super().load_wsgi()

    def run(self) -> None:
        """Answer requests until told to end, then those that came before, for `graceful_timeout`."""
        channels: dict[int, Any] = {}
        threads = Threads(self.cfg.threads)
        bodies, adjustments = _bodies(environment.load()), _adjustments(int(self.cfg.keepalive))
        servers = [self._server(each.sock, channels, threads, adjustments, bodies) for each in self.sockets]
        Wakeup(self.PIPE[0], map=channels)
        self.wsgi.extensions["gradyard"].waiting_room.lend = threads.lend
        spare_what_is_loaded()
        while self.alive and self.ppid == os.getppid():
            self._handle_events(channels, 1.0)
        for server in servers:
            server.accepting = False
        self.wsgi.extensions["gradyard"].streams.close()  # their clients go on with another process
        until = time.monotonic() + self.cfg.graceful_timeout
        while time.monotonic() < until and any(map(_is_busy, channels.values())):
            self._handle_events(channels, 0.05)

    def _handle_events(self, channels: dict[int, Any], seconds: float) -> None:
        self.notify()
        wasyncore.loop(timeout=seconds, map=channels, use_poll=True, count=1)

    def _server(
        self, listener: Any, channels: dict[int, Any], threads: Threads, adjustments: Adjustments, bodies: Bodies
    ) -> Server:
        listener.setblocking(False)
        about = (listener.family, listener.type, listener.proto, listener.getsockname())
        return Server(
            self.wsgi, channels, True, listener, dispatcher=threads, adj=adjustments, bind_socket=False, sockinfo=about,
            bodies=bodies,
        )  # fmt: skip


class Wakeup(wasyncore.file_dispatcher):  # type: ignore[misc]
    """The pipe to which every signal of this process writes, so that the event loop wakes."""

    def handle_read(self) -> None:
        """Empty it."""
        self.recv(4096)

    def writable(self) -> bool:
        """It is only read."""
        return False


def _is_busy(channel: Any) -> bool:
    return isinstance(channel, Channel) and bool(channel.requests or channel.total_outbufs_len)


def _bodies(settings: Settings) -> Bodies:
    limits = settings.max_json_bytes, settings.max_batch_bytes, settings.max_file_bytes
    json, batch, file = (limit + 1 for limit in limits)  # one more is for the app to refuse
    most_unfinished = max(UNFINISHED_BYTES, 2 * max(json, batch, file))
    return Bodies(json, max(json, batch), max(json, file), most_unfinished)


def _adjustments(keep_alive_seconds: int) -> Adjustments:
    return Adjustments(
        connection_limit=_most_connections(), channel_timeout=keep_alive_seconds, cleanup_interval=LOOK_SECONDS,
        channel_request_lookahead=0,  # a request is answered before the next one is read
        max_request_header_size=HEAD_BYTES, max_request_body_size=sys.maxsize,  # the parser has the limits of bodies
        inbuf_overflow=IN_MEMORY_BYTES, outbuf_overflow=IN_MEMORY_BYTES, outbuf_high_watermark=WAITING_BYTES,
        ident=None, clear_untrusted_proxy_headers=False, log_socket_errors=False, asyncore_use_poll=True,
    )  # fmt: skip


def _most_connections() -> int:
    """As many as this process may open; the limit of the shell is often only 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHER_FILES
    allowed = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(16, allowed - OTHER_FILES)
