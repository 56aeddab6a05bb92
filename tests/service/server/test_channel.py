"""Connections: slow, cut off, half closed, without end."""

import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

import orjson
import pytest

from service.server import channel
from tests.service.server.conftest import Serve, everything, says
from tests.stack.until import until

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF_A_BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf"


def hello(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """An app that says hello, and the length of the body."""
    body = b"hello %d" % len(environ["wsgi.input"].read())
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def problem_in(answer: bytes) -> tuple[bytes, str]:
    """The first line and the type of a problem."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Type: application/problem+json" in head, answer
    return head.splitlines()[0], orjson.loads(body)["type"]


def test_more_half_sent_requests_than_threads_keep_no_one_waiting(serve: Serve) -> None:
    served = serve(hello, threads=2)
    half_sent = [served.connect(sent) for sent in (b"", b"GET / HTTP/1.1\r\nHo", HALF_A_BODY) for _ in range(10)]
    until(lambda: served.connections() == 30)
    with served.connect(GET) as connection:
        assert says(connection, b"hello 0")
    for each in half_sent:
        each.close()


@pytest.mark.parametrize("begun", [b"GET / HTTP/1.1\r\nHo", HALF_A_BODY])
def test_a_request_that_does_not_arrive_whole_in_time_is_told_so(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(channel, "HEAD_SECONDS", 0.1)
    with serve(hello).connect(begun) as connection:
        assert problem_in(everything(connection))[1] == "request_timeout"


def test_a_connection_that_sends_nothing_is_closed(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "HEAD_SECONDS", 0.1)
    with serve(hello).connect() as connection:
        assert everything(connection) == b""


def test_a_slow_body_has_time_by_its_length(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(channel, "BYTES_A_SECOND", 0.1)  # four bytes give forty seconds more
    with serve(hello).connect(HALF_A_BODY) as connection:
        threading.Event().wait(1.0)
        connection.sendall(b"andabc")
        assert says(connection, b"hello 10")


def test_a_client_that_ends_in_the_middle_is_refused(serve: Serve) -> None:
    with serve(hello).connect(HALF_A_BODY) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert problem_in(everything(connection))[1] == "body_incomplete"


def test_a_client_that_closed_its_sending_half_after_a_whole_request_gets_the_answer(serve: Serve) -> None:
    with serve(hello).connect(GET) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert everything(connection).endswith(b"hello 0")


def test_what_comes_after_the_last_request_costs_its_sender_no_answer(serve: Serve) -> None:
    last = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with serve(hello).connect(last + GET) as connection:
        assert everything(connection).endswith(b"hello 0")  # and not a reset
        connection.shutdown(socket.SHUT_WR)


def test_an_app_sees_that_its_client_has_left(serve: Serve) -> None:
    asked, left = threading.Event(), threading.Event()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        assert not environ["waitress.client_disconnected"]()
        asked.set()
        until(environ["waitress.client_disconnected"])
        left.set()
        return hello(environ, start_response)

    with serve(app).connect(GET):
        assert asked.wait(30)
    assert left.wait(30)


@pytest.mark.parametrize(
    ("head", "status", "kind"),
    [
        (b"GET / HTTP/1.1\r\nBad Header: 1", b"400", "bad_request"),
        (b"no request at all", b"400", "bad_request"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip", b"501", "not_implemented"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1", b"400", "bad_request"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999999999999", b"413", "content_too_large"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000, b"431", "request_header_fields_too_large"),
    ],
)
def test_what_is_no_request_is_answered_with_a_problem(serve: Serve, head: bytes, status: bytes, kind: str) -> None:
    with serve(hello).connect(head + b"\r\n\r\n") as connection:
        line, said = problem_in(everything(connection))
    assert (line.split()[1], said) == (status, kind)
