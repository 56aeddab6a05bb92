"""Frames between a supervisor and its runner: a JSON header and raw array bytes, never pickle."""

import json
import select
import socket
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

_HEAD = struct.Struct("<4sIQ")  # magic, bytes of header, bytes of arrays
_MAGIC = b"GYD1"
_MOST_BYTES = 2**32


class WireClosed(Exception):
    """The other side is gone."""


class FrameBroken(Exception):
    """These bytes are no frame."""


@dataclass(frozen=True)
class Frame:
    """One message: what it is, its small fields, its arrays by name."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


def encode(frame: Frame) -> bytes:
    """The frame as bytes; arrays little-endian, in C order."""
    shapes = tuple((name, array.dtype, array.shape) for name, array in frame.arrays.items())
    fields = json.dumps(frame.fields) if frame.fields else "{}"
    header = f'{{"kind": {json.dumps(frame.kind)}, "fields": {fields}, "arrays": {_described(shapes)}}}'.encode()
    body = b"".join(_little_endian(array).tobytes() for array in frame.arrays.values())
    return _HEAD.pack(_MAGIC, len(header), len(body)) + header + body


@lru_cache(maxsize=256)  # a pack's members have states of one shape, and each is a frame of its own
def _described(shapes: tuple[tuple[str, np.dtype[Any], tuple[int, ...]], ...]) -> str:
    return json.dumps([[name, dtype.newbyteorder("<").str, shape] for name, dtype, shape in shapes])


def _little_endian(array: np.ndarray) -> np.ndarray:
    return array if array.dtype.str[0] in "<|" else array.astype(array.dtype.newbyteorder("<"))


def decode(data: bytes | bytearray) -> Frame:
    """The frame of these bytes; FrameBroken where they are none."""
    try:
        magic, header_size, body_size = _HEAD.unpack_from(data)
        if magic != _MAGIC or len(data) != _HEAD.size + header_size + body_size:
            raise FrameBroken("bytes of another length or kind")
        header = json.loads(bytes(data[_HEAD.size : _HEAD.size + header_size]))
        arrays, offset = {}, _HEAD.size + header_size
        for name, dtype, shape in header["arrays"]:
            kind = np.dtype(dtype)
            count = int(np.prod(shape, dtype=np.int64))
            arrays[name] = np.frombuffer(data, kind, count, offset).reshape(shape)
            offset += count * kind.itemsize
        return Frame(header["kind"], header["fields"], arrays)
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise FrameBroken(str(error)) from None


class Wire:
    """One end of a socket that carries frames."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._buffer = bytearray()

    def send(self, frame: Frame) -> None:
        """Send a frame, waiting for room; WireClosed where nobody is there to read."""
        try:
            self._end.sendall(encode(frame))
        except OSError:
            raise WireClosed from None

    def receive(self, seconds: float | None = None) -> Frame | None:
        """The next frame; None where none came within `seconds` (None: wait for ever). WireClosed at the end."""
        while not self._whole():
            ready, _, _ = select.select([self._end], [], [], seconds)
            if not ready:
                return None
            self._read()
        size = self._size()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return decode(data)

    def fileno(self) -> int:
        """For select."""
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
        return len(self._buffer) >= _HEAD.size and len(self._buffer) >= self._size()

    def _size(self) -> int:
        magic, header_size, body_size = _HEAD.unpack_from(self._buffer)
        if magic != _MAGIC or header_size + body_size > _MOST_BYTES:
            raise FrameBroken("the stream between supervisor and runner is out of step")
        return int(_HEAD.size + header_size + body_size)
