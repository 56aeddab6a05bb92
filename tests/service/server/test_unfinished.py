"""Requests that have not arrived whole hold so many bytes together, and small ones arrive all the same."""

import socket

import pytest

from service.server import channel
from tests.service.server.conftest import Serve, everything, says
from tests.service.server.test_channel import GET, hello, problem_in
from tests.stack.until import until

HEAD = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
JOBS, BATCHES = b"/v1/jobs", b"/v1/batches"
SIZE = 100_000
HALF = HEAD % (JOBS, SIZE) + b"x" * (SIZE - 1)
CHUNKED = b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % SIZE


@pytest.mark.parametrize("half", [HALF, CHUNKED + b"x" * (SIZE - 1)], ids=["a length", "chunks"])
def test_over_the_bound_a_body_is_refused_until_others_have_ended(serve: Serve, half: bytes) -> None:
    served = serve(hello)
    served.bodies.most_unfinished = 250_000
    first, second = served.connect(half), served.connect(half)
    until(lambda: served.bodies.unfinished > 2 * (SIZE - 10_000))
    with served.connect(half) as third:
        answer = everything(third)
    assert problem_in(answer) == (b"HTTP/1.1 503 Service Unavailable", "too_many_bodies")
    assert b"\r\nRetry-After: 1\r\n" in answer
    with served.connect(HEAD % (JOBS, 4) + b"body") as small:
        assert says(small, b"hello 4")
    first.close()
    second.sendall(b"x" if half == HALF else b"x\r\n0\r\n\r\n")
    assert says(second, b"hello 100000")
    until(lambda: served.bodies.unfinished == 0)
    with served.connect(HALF + b"x") as again:
        assert says(again, b"hello 100000")
    second.close()


def test_half_a_head_counts_as_well(serve: Serve) -> None:
    served = serve(hello)
    with served.connect(b"GET / HTTP/1.1\r\nX: " + b"x" * 60_000):
        until(lambda: served.bodies.unfinished > 50_000)
    until(lambda: served.bodies.unfinished == 0)


def test_what_is_refused_or_comes_too_late_counts_no_more(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve(hello)
    late, cut = served.connect(HALF), served.connect(HALF)
    until(lambda: served.bodies.unfinished > 150_000)
    cut.shutdown(socket.SHUT_WR)
    assert problem_in(everything(cut))[1] == "body_incomplete"
    monkeypatch.setattr(channel, "HEAD_SECONDS", 0.0)
    monkeypatch.setattr(channel, "BYTES_A_SECOND", 2**40)
    assert problem_in(everything(late))[1] == "request_timeout"
    assert served.bodies.unfinished == 0
    for each in (late, cut):
        each.close()


@pytest.mark.parametrize(
    ("path", "refused"), [(JOBS, True), (b"/", True), (BATCHES, False), (BATCHES + b"?a=b", False)]
)
def test_a_body_that_is_too_long_for_its_route_is_refused_by_its_head(serve: Serve, path: bytes, refused: bool) -> None:
    served = serve(hello)
    for head in (HEAD % (path, 2**21), (CHUNKED % ()).replace(JOBS, path).replace(b"186a0", b"200000")):
        with served.connect(head) as connection:
            if refused:
                assert problem_in(everything(connection)) == (b"HTTP/1.1 413 Content Too Large", "content_too_large")
            else:
                connection.sendall(b"x" * 2**21 + (b"\r\n0\r\n\r\n" if b"chunked" in head else b""))
                assert says(connection, b"hello 2097152")
    with served.connect(GET) as connection:
        assert says(connection, b"hello 0")
