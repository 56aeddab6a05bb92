"""Clients that do not take their answers hold no thread that others need, and no connection for ever."""

import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from service.server import channel
from tests.service.server.conftest import Serve, Served, everything, says
from tests.service.server.test_channel import GET, hello
from tests.stack.until import until

LARGE = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
ANSWER = b"x" * 2**23  # more than the buffers of both sockets and the server's watermark


def unread(served: Served, sent: bytes) -> socket.socket:
    """A connection with a small buffer, on which this was sent in one packet."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(30)
    connection.connect(("127.0.0.1", served.port))
    connection.sendall(sent)
    return connection


def test_several_requests_in_one_packet_that_are_not_read_hold_no_thread(serve: Serve) -> None:
    made = threading.Semaphore(0)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/large":
            return hello(environ, start_response)
        start_response("200 OK", [("Content-Length", str(len(ANSWER)))])
        made.release()
        return [ANSWER]

    served = serve(app, threads=2)
    connections = [unread(served, LARGE * 2) for _ in range(6)]
    for _ in connections:
        assert made.acquire(timeout=10)
    with served.connect(GET) as connection:
        connection.settimeout(10)
        assert says(connection, b"hello 0")
    for each in connections:
        each.close()
    until(lambda: not served.connections())  # which closes their answers' files


def test_requests_in_one_packet_are_answered_one_after_the_other(serve: Serve) -> None:
    post = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody"
    last = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with serve(hello).connect(GET + post + b"\r\n" + GET + post + last) as connection:
        bodies = [answer.rpartition(b"\r\n\r\n")[2] for answer in everything(connection).split(b"HTTP/1.1 200 OK")]
    assert bodies == [b"", b"hello 0", b"hello 4", b"hello 0", b"hello 4", b"hello 0"]


@pytest.fixture
def without_end() -> tuple[threading.Event, Callable[..., Iterable[bytes]]]:
    """An app whose answer has no end, and what is set when it is given up."""
    ended = threading.Event()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        try:
            while True:
                yield b"x" * 65536
        finally:
            ended.set()

    return ended, app


def test_a_client_that_takes_nothing_of_its_answer_frees_its_thread(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, without_end: Any
) -> None:
    monkeypatch.setattr(channel, "STALLED_SECONDS", 0.3)
    ended, app = without_end
    with serve(app).connect(GET):
        assert ended.wait(30)


def test_a_client_that_takes_a_little_now_and_then_frees_its_thread(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, without_end: Any
) -> None:
    monkeypatch.setattr(channel, "STALLED_SECONDS", 0.5)
    monkeypatch.setattr(channel, "TAKEN_A_SECOND", 2**40, raising=False)
    ended, app = without_end
    with serve(app).connect(GET) as connection:
        for _ in range(1000):
            if ended.wait(0.01):
                break
            connection.recv(2**18)
    assert ended.is_set()


def test_an_answer_that_was_made_and_is_not_taken_costs_no_connection_for_ever(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "STALLED_SECONDS", 0.3)
    made = threading.Event()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", str(len(ANSWER)))])
        made.set()
        return [ANSWER]

    served = serve(app)
    with unread(served, GET):
        assert made.wait(30)
        until(lambda: not served.connections())
