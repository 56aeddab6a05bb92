"""A socket that carries messages between a supervisor and its runner."""

import select
import socket
import time

from workers.protocol.frame import HEAD, decode, encode, size_of
from workers.protocol.messages import Message, message_of


class WireClosed(Exception):
    """The process at the other end has closed the socket or has ended."""


class Wire:
    """One end of a socket that carries messages."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._buffer = bytearray()

    def send(self, message: Message) -> None:
        """Send a message; wait while the socket's buffer is full.

        Raises WireClosed where the other end is gone, ValueError or TypeError where the message cannot be a frame.
        """
        data = encode(message.to_frame())
        try:
            self._end.sendall(data)
        except OSError:
            raise WireClosed from None

    def receive(self, seconds: float | None = None) -> Message | None:
        """The next message; None where none was whole within `seconds` (None: wait without a limit).

        Raises WireClosed at the end of the stream, FrameBroken where the bytes are not a message.
        """
        until = None if seconds is None else time.monotonic() + seconds
        while not self._whole():
            left = None if until is None else max(0.0, until - time.monotonic())
            ready, _, _ = select.select([self._end], [], [], left)
            if not ready:
                return None
            self._read()
        size = size_of(self._buffer)
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return message_of(decode(data))

    def fileno(self) -> int:
        """The file descriptor, for select."""
        return self._end.fileno()

    def close(self) -> None:
        """Close this end."""
        self._end.close()

    def _read(self) -> None:
        try:
            data = self._end.recv(1 << 20)
        except OSError:
            raise WireClosed from None
        if not data:
            raise WireClosed
        self._buffer += data

    def _whole(self) -> bool:
        return len(self._buffer) >= HEAD.size and len(self._buffer) >= size_of(self._buffer)
