"""Bodies that come in chunks: what is none is refused as soon as that is known, and each byte is looked at once."""

from typing import Any

import pytest

from service.server.chunks import Chunks
from tests.service.server.conftest import Serve, everything, says
from tests.service.server.test_channel import hello, problem_in

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
WHOLE = b"4\r\nbody\r\n0\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"0" * 1100,  # no end of the line is waited for
        b"0" * 100_000 + b"4\r\nbody\r\n0\r\n\r\n",
        b"00000000000000004\r\nbody\r\n0\r\n\r\n",
        b"4;" + b"x" * 1100,
        b"0\r\nX: " + b"0" * 66_000,
        b"0\r\n" + b"X: y\r\n" * 11_000,
        WHOLE + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n",
        WHOLE + b"nonsense \x00\x1b\r\n\r\n",
        WHOLE + b"X: y\r\n z\r\n\r\n",
        WHOLE + b"X : y\r\n\r\n",
        WHOLE + b"X: y\nZ: z\r\n\r\n",
        b"\r\n" + WHOLE + b"\r\n",
        b"4\n\r\nbody\r\n0\r\n\r\n",
        b"4\r\nbodyX\r\n0\r\n\r\n",
        b"1;" + b"x" * 1000 + b"\r\nx\r\n",
    ],
)  # fmt: skip
def test_chunks_that_are_none_are_refused_at_once(serve: Serve, sent: bytes) -> None:
    if sent.startswith(b"1;"):
        sent *= 1100  # a million bytes between as many chunks of one
    with serve(hello).connect(HEAD) as connection:
        connection.settimeout(10)
        connection.sendall(sent)
        line, kind = problem_in(everything(connection))
    assert (line.split()[1], kind) == (b"400", "bad_request")


@pytest.mark.parametrize("size", [b"0200000", b"FFFFFFFFFFFFFFFF"])
def test_a_chunk_that_is_too_large_is_refused_before_it_comes(serve: Serve, size: bytes) -> None:
    with serve(hello).connect(HEAD + size + b"\r\n") as connection:
        assert problem_in(everything(connection))[1] == "content_too_large"


@pytest.mark.parametrize(
    "sent",
    [
        WHOLE + b"\r\n",
        b'2;a;b=c;d="e \\" f"\r\nbo\r\n00002\r\ndy\r\n000\r\nX-Checksum: 1\r\nY:\r\n\r\n',
        b"1\r\nb\r\n1\r\no\r\n1\r\nd\r\n1\r\ny\r\n0\r\n\r\n",
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_chunks_are_read_however_they_are_cut(serve: Serve, sent: bytes, together: bool) -> None:
    with serve(hello).connect(HEAD) as connection:
        for part in [sent] if together else [sent[at : at + 1] for at in range(len(sent))]:
            connection.sendall(part)
        assert says(connection, b"hello 4")


class Counted:
    """A buffer that counts how often something is written into it."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def append(self, data: bytes) -> None:
        self.writes.append(data)


def test_of_a_packet_all_chunks_are_written_at_once() -> None:
    buffer = Counted()
    body: Any = Chunks(buffer, 10**6)
    sent = b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\nGET /"
    packets = [sent[at : at + 8192] for at in range(0, len(sent), 8192)]
    taken = [body.received(packet) for packet in packets]
    assert (sum(taken), body.completed, body.error) == (len(sent) - len(b"GET /"), True, None)
    assert b"".join(buffer.writes) == b"x" * 10_000
    assert len(body) == 10_000
    assert len(buffer.writes) <= len(packets)
