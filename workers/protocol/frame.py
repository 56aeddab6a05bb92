"""A frame as bytes: a fixed head, a JSON header, raw array bytes. Never pickle."""

import json
import re
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn

import numpy as np

HEAD = struct.Struct("<4sIQ")
"""Magic, bytes of the header, bytes of the arrays."""

_MAGIC = b"GYD1"
_QUOTED_CHARACTERS = 300
_MOST_BYTES = 2**32
_MOST_HEADER_BYTES = 2**28  # it becomes objects of Python, each many times as large

# Bits of a known length, little-endian: no object, whose bytes would be an address, and no record of several.
_PLAIN_DTYPE = re.compile(r"[<|](b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[SU]\d{1,6}|[mM]8(\[\d*[a-zA-Z]+\])?)")

Arrays = dict[str, np.ndarray]


class FrameBroken(Exception):
    """The bytes are not a frame, or the frame is not the message that it claims to be.

    What it says may quote the frame, so it is cut, and all but printable ASCII is shown by numbers.
    """

    def __init__(self, what: str) -> None:
        super().__init__(ascii(what[:_QUOTED_CHARACTERS])[1:-1])


@dataclass(frozen=True)
class Frame:
    """The kind of a message, its small fields as JSON values, its arrays by name."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)


def encode(frame: Frame) -> bytes:
    """The frame as bytes. Arrays are written little-endian, in C order.

    Raises TypeError or ValueError where a field is no JSON, NaN included, an array is not of plain numbers, texts or
    times, or the frame is larger than one may be.
    """
    shapes = tuple((name, array.dtype, array.shape) for name, array in frame.arrays.items())
    fields = json.dumps(frame.fields, allow_nan=False) if frame.fields else "{}"
    header = f'{{"kind": {json.dumps(frame.kind)}, "fields": {fields}, "arrays": {_described(shapes)}}}'.encode()
    size = sum(array.nbytes for array in frame.arrays.values())
    if len(header) > _MOST_HEADER_BYTES or len(header) + size > _MOST_BYTES:
        raise ValueError(f"a message of {len(header) + size:,} bytes is too large to be sent")
    body = b"".join(_little_endian(array).tobytes() for array in frame.arrays.values())
    return HEAD.pack(_MAGIC, len(header), len(body)) + header + body


@lru_cache(maxsize=256)  # the checkpoints of a pack's members have the same shapes, and each is a frame
def _described(shapes: tuple[tuple[str, np.dtype[Any], tuple[int, ...]], ...]) -> str:
    described: list[list[Any]] = [[name, dtype.newbyteorder("<").str, shape] for name, dtype, shape in shapes]
    for name, dtype, _ in described:
        if not (isinstance(name, str) and _PLAIN_DTYPE.fullmatch(dtype)):
            raise TypeError(f"the array {name!r} has dtype {dtype}, which is not one of plain numbers")
    return json.dumps(described)


def _little_endian(array: np.ndarray) -> np.ndarray:
    return array if array.dtype.str[0] in "<|" else array.astype(array.dtype.newbyteorder("<"))


def decode(data: bytes | bytearray) -> Frame:
    """The frame of these bytes; its arrays are views of them. Raises FrameBroken where the bytes are not a frame."""
    try:
        magic, header_size, body_size = HEAD.unpack_from(data)
        if magic != _MAGIC or len(data) != HEAD.size + header_size + body_size:
            raise FrameBroken("the bytes have a wrong length or do not begin as a frame")
        header = json.loads(bytes(data[HEAD.size : HEAD.size + header_size]), parse_constant=_refuse)
        kind, fields = header["kind"], header["fields"]
        if not (isinstance(kind, str) and isinstance(fields, dict)):
            raise FrameBroken("the frame names no kind, or has no fields")
        return Frame(kind, fields, _arrays(data, header["arrays"], HEAD.size + header_size))
    except (struct.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FrameBroken(str(error)) from None


def _refuse(constant: str) -> NoReturn:
    raise FrameBroken(f"{constant} is no JSON")


def _arrays(data: bytes | bytearray, described: list[Any], offset: int) -> Arrays:
    arrays: Arrays = {}
    for name, dtype, shape in described:
        if not (isinstance(name, str) and name not in arrays and isinstance(dtype, str)):
            raise FrameBroken("an array has no name of its own, or no dtype")
        if not _PLAIN_DTYPE.fullmatch(dtype):
            raise FrameBroken("the dtype of an array is not one of plain numbers")
        if not all(type(length) is int and 0 <= length <= _MOST_BYTES for length in shape):
            raise FrameBroken("the shape of an array is none")
        arrays[name] = np.ndarray(tuple(shape), np.dtype(dtype), data, offset)  # refuses more bytes than there are
        offset += arrays[name].nbytes
    if offset != len(data):
        raise FrameBroken("the arrays do not fill the frame")
    return arrays


def size_of(data: bytes | bytearray) -> int:
    """Bytes of the frame that begins with this head. Raises FrameBroken where it is not the head of a frame."""
    magic, header_size, body_size = HEAD.unpack_from(data)
    if magic != _MAGIC or header_size > _MOST_HEADER_BYTES or header_size + body_size > _MOST_BYTES:
        raise FrameBroken("the stream between supervisor and runner is out of step")
    return int(HEAD.size + header_size + body_size)
