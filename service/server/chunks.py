"""Reads a body that comes in chunks, in time that grows with its length and with nothing else.

Waitress's own reader looks at everything again with each packet, takes size lines and trailers of any length, and drops
trailers unread.
"""

import re
from typing import Any

from service.server.head import FIELD, TOKEN
from service.server.problems import Refused

SIZE_LINE_BYTES = 1024
TRAILER_BYTES = 65_536
FRAMING_BYTES = 2**20  # of size lines and ends of chunks, beyond as many as the body has

QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;" + TOKEN + rb"(?:=(?:" + TOKEN + rb"|" + QUOTED + rb"))?)*")


class Chunks:
    """The body of one request, as Waitress's parser uses it. buffer: where its bytes go. most: how many may come."""

    def __init__(self, buffer: Any, most: int) -> None:
        self.completed = False
        self.error: Refused | None = None
        self._buffer = buffer
        self._most = most
        self._size = self._framing = self._trailer = 0
        self._left = 0  # of the present chunk
        self._read_line = self._read_size
        self._begun = b""  # a line whose end has not come

    def __len__(self) -> int:
        return self._size

    def getbuf(self) -> Any:
        """Where the bytes are."""
        return self._buffer

    def getfile(self) -> Any:
        """The bytes, as a file."""
        return self._buffer.getfile()

    def received(self, data: bytes) -> int:
        """Take bytes, as far as the body goes. Returns how many; `error` says what is wrong with them."""
        before, data = len(self._begun), self._begun + data
        self._begun = b""
        parts, at = list[bytes](), 0
        while at < len(data) and not self.completed and self.error is None:
            if self._left:
                part = data[at : at + self._left]
                parts.append(part)
                self._left -= len(part)
                at += len(part)
            else:
                at = self._take_line(data, at)
        if parts:
            self._buffer.append(b"".join(parts))
        return at - before

    def _take_line(self, data: bytes, at: int) -> int:
        longest = TRAILER_BYTES if self._read_line == self._read_trailer else SIZE_LINE_BYTES
        end = data.find(b"\r\n", at, at + longest + 2)
        if end >= 0:
            self._framing += end + 2 - at
            self._read_line(data[at:end])
            return end + 2
        if len(data) - at >= longest + 2:
            self._fail(f"a line between its chunks has over {longest:,} bytes")
        else:
            self._begun = data[at:]
        return len(data)

    def _read_size(self, line: bytes) -> None:
        match = SIZE_LINE.fullmatch(line)
        if match is None:
            self._fail("a chunk begins with its size in hexadecimal digits")
            return
        self._left = int(match[1], 16)
        self._size += self._left
        self._read_line = self._read_end if self._left else self._read_trailer
        if self._size > self._most:
            self.error = Refused(413, f"the body has over {self._most:,} bytes")
        elif self._framing > FRAMING_BYTES + self._size:
            self._fail("its chunks are too small")

    def _read_end(self, line: bytes) -> None:
        self._read_line = self._read_size
        if line:
            self._fail("a chunk is longer than its size")

    def _read_trailer(self, line: bytes) -> None:
        self._trailer += len(line) + 2
        if not line:
            self.completed = True
        elif self._trailer > TRAILER_BYTES:
            self._fail(f"there are over {TRAILER_BYTES:,} bytes after its last chunk")
        elif not FIELD.fullmatch(line):
            self._fail("what comes after its last chunk is no header")

    def _fail(self, what: str) -> None:
        self.error = Refused(400, f"the chunks of the body are wrong: {what}")
