"""Contents to be stored that do more than be read."""

import io
from collections.abc import Callable
from typing import Any, BinaryIO, cast


def zeros(length: int) -> BinaryIO:
    """A content of so many bytes, which are made when they are read, and come in pieces of 64 KiB at most."""
    return cast(BinaryIO, _Zeros(length))


def interrupted(length: int, then: Callable[[], None]) -> BinaryIO:
    """A content that, after so many bytes, calls this function before it goes on to its end."""
    return cast(BinaryIO, _Interrupted(length, then))


def raising(error: BaseException) -> Callable[[], None]:
    """A function that raises this."""

    def interrupt() -> None:
        raise error

    return interrupt


class _Zeros(io.RawIOBase):
    def __init__(self, length: int) -> None:
        self.left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        length = min(len(buffer), self.left, 2**16)
        buffer[:length] = bytes(length)
        self.left -= length
        return length


class _Interrupted(_Zeros):
    def __init__(self, length: int, then: Callable[[], None]) -> None:
        super().__init__(length)
        self._then: Callable[[], None] | None = then

    def readinto(self, buffer: Any) -> int:
        if not self.left and self._then is not None:
            then, self._then = self._then, None
            then()
        return super().readinto(buffer)
