"""Heads of requests: forms that programs read in different ways are refused, and none takes long to read."""

import pytest
from waitress.parser import ParsingError

from service.server.head import read_head
from tests.service.server.conftest import Serve, everything, says
from tests.service.server.test_channel import hello, problem_in

HOST = b"Host: localhost\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
BODY = b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST / HTTP/1.1\r\n" + HOST + CHUNKED * 2 + BODY, 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, chunked\r\n" + BODY, 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: ,chunked\r\n" + BODY, 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding:\r\n" + BODY, 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding:\r\n chunked\r\n" + BODY, 400),
        (b"GET / HTTP/1.1\r\nHost:\r\n localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n\tb\r\n\r\n", 400),
        (b" GET / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"\r\n GET / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"\tGET / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET / HTTP/1.1 \r\n" + HOST + b"\r\n", 400),
        (b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Expect: x\r\nContent-Length: 4\r\n\r\n", 417),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n" + HOST + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 300 + b"\r\n", 431),
    ],
)
def test_other_forms_are_refused(serve: Serve, sent: bytes, status: int) -> None:
    with serve(hello).connect(sent) as connection:
        line, _ = problem_in(everything(connection))
    assert int(line.split()[1]) == status


def test_empty_lines_before_a_request_are_nothing(serve: Serve) -> None:
    with serve(hello).connect(b"\r\n\r") as connection:
        connection.sendall(b"\nGET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert says(connection, b"hello 0")


@pytest.mark.parametrize("body", [b"", b"Content-Length: 4\r\n"])
def test_a_client_that_waits_to_continue_is_told_to(serve: Serve, body: bytes) -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-Continue\r\n"
    with serve(hello).connect(head + body + b"\r\n") as connection:
        if body:
            assert says(connection, b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.sendall(b"body")
        assert says(connection, b"hello 4" if body else b"hello 0")


@pytest.mark.parametrize(
    "head",
    [
        b"GET http://" + b"1" * 60_000 + b" x HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nX:" + b" " * 60_000 + b"\x00\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a " * 30_000 + b"\x00\r\n",
    ],
    ids=["an address and a word", "many spaces", "many words"],
)
def test_a_head_that_is_none_is_seen_in_one_look(head: bytes) -> None:
    with pytest.raises(ParsingError):  # Waitress's own patterns take minutes to hours
        read_head(head + HOST + b"\r\n")


def test_many_spaces_before_a_value_are_none(serve: Serve) -> None:
    with serve(hello).connect(b"GET / HTTP/1.1\r\n" + HOST + b"X:" + b" " * 60_000 + b"y\r\n\r\n") as connection:
        connection.settimeout(10)
        assert says(connection, b"hello 0")
