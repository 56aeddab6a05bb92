"""A frame as bytes: a fixed head, a JSON header, raw array bytes. Never pickle."""

import json
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

HEAD = struct.Struct("<4sIQ")
"""Magic, bytes of the header, bytes of the arrays."""

_MAGIC = b"GYD1"
_MOST_BYTES = 2**32

Arrays = dict[str, np.ndarray]


class FrameBroken(Exception):
    """The bytes are not a frame, or the frame is not the message that it claims to be."""


@dataclass(frozen=True)
class Frame:
    """The kind of a message, its small fields as JSON values, its arrays by name."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)


def encode(frame: Frame) -> bytes:
    """The frame as bytes. Arrays are written little-endian, in C order."""
    shapes = tuple((name, array.dtype, array.shape) for name, array in frame.arrays.items())
    fields = json.dumps(frame.fields) if frame.fields else "{}"
    header = f'{{"kind": {json.dumps(frame.kind)}, "fields": {fields}, "arrays": {_described(shapes)}}}'.encode()
    body = b"".join(_little_endian(array).tobytes() for array in frame.arrays.values())
    return HEAD.pack(_MAGIC, len(header), len(body)) + header + body


@lru_cache(maxsize=256)  # the checkpoints of a pack's members have the same shapes, and each is a frame
def _described(shapes: tuple[tuple[str, np.dtype[Any], tuple[int, ...]], ...]) -> str:
    return json.dumps([[name, dtype.newbyteorder("<").str, shape] for name, dtype, shape in shapes])


def _little_endian(array: np.ndarray) -> np.ndarray:
    return array if array.dtype.str[0] in "<|" else array.astype(array.dtype.newbyteorder("<"))


def decode(data: bytes | bytearray) -> Frame:
    """The frame of these bytes; its arrays are views of them. Raises FrameBroken where the bytes are not a frame."""
    try:
        magic, header_size, body_size = HEAD.unpack_from(data)
        if magic != _MAGIC or len(data) != HEAD.size + header_size + body_size:
            raise FrameBroken("the bytes have a wrong length or do not begin as a frame")
        header = json.loads(bytes(data[HEAD.size : HEAD.size + header_size]))
        arrays, offset = {}, HEAD.size + header_size
        for name, dtype, shape in header["arrays"]:
            kind = np.dtype(dtype)
            count = int(np.prod(shape, dtype=np.int64))
            arrays[name] = np.frombuffer(data, kind, count, offset).reshape(shape)
            offset += count * kind.itemsize
        return Frame(header["kind"], header["fields"], arrays)
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise FrameBroken(str(error)) from None


def size_of(data: bytes | bytearray) -> int:
    """Bytes of the frame that begins with this head. Raises FrameBroken where it is not the head of a frame."""
    magic, header_size, body_size = HEAD.unpack_from(data)
    if magic != _MAGIC or header_size + body_size > _MOST_BYTES:
        raise FrameBroken("the stream between supervisor and runner is out of step")
    return int(HEAD.size + header_size + body_size)
