"""A content in pieces: in parts, as a bucket takes it, and in ranges, as it gives it."""

import io
import os
from collections.abc import Callable
from typing import Any, BinaryIO

PART_BYTES = 5 * 2**20  # the least that S3 takes; 10,000 are the most that it takes of one object
RANGE_BYTES = 4 * 2**20  # shorter ranges take more round trips, longer ones more memory of each reader


class Parts:
    """Iterates over a content in parts of 5 MiB, the last of which is shorter.

    error: what reading it raised. Who takes the parts may raise something else then.
    """

    def __init__(self, content: BinaryIO) -> None:
        self.error: BaseException | None = None
        self._content = content

    def __iter__(self) -> "Parts":
        return self

    def __next__(self) -> bytes:
        try:
            part = self._read()
        except BaseException as error:
            self.error = error
            raise
        if not part:
            raise StopIteration
        return part

    def _read(self) -> bytes:
        """A whole part also where the content comes in smaller pieces, as from a client."""
        pieces, left = list[bytes](), PART_BYTES
        while left and (piece := self._content.read(left)):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)


class Ranges(io.RawIOBase):
    """An object of that size as a file to be read and sought in. Each range is a request of its own.

    read_range: the bytes from a position on, so many of them; what it raises is raised on.
    """

    def __init__(self, read_range: Callable[[int, int], memoryview], size: int) -> None:
        super().__init__()
        self._read_range, self._size, self._position = read_range, size, 0

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def seekable(self) -> bool:
        """Whether it can be sought in: always."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go on reading there, and return the position; asks for nothing. Raises ValueError before the beginning."""
        position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if position < 0:
            raise ValueError(f"{position} is before the beginning of the content")
        self._position = position
        return position

    def readinto(self, buffer: Any, /) -> int:
        """Read one range into the buffer, and return its length; 0 at the end."""
        length = min(len(buffer), RANGE_BYTES, max(0, self._size - self._position))
        if not length:
            return 0
        content = self._read_range(self._position, length)
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def readall(self) -> bytes:
        """All that is left; by itself a raw file would ask for 8 KiB at a time."""
        content = bytearray(max(0, self._size - self._position))
        left = memoryview(content)
        while left and (length := self.readinto(left)):
            left = left[length:]
        return bytes(content)
