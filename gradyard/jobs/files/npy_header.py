"""The header of an NPY array, read without trust: numpy.lib.format of numpy's documentation describes it."""

import ast
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO

import numpy as np
from numpy.lib.format import descr_to_dtype

from gradyard.jobs.errors import FileInvalid
from gradyard.jobs.files.shown import shown

MAGIC = b"\x93NUMPY"
LENGTH_BYTES = {1: 2, 2: 4, 3: 4}  # by version: of the header's length
HEADER_BYTES = 10_000  # numpy's own bound (max_header_size): Python's parser is slow with large texts, or fails
MOST_AXES, LARGEST = 64, 2**63  # of numpy: of axes, and of bytes


@dataclass(frozen=True)
class ArrayHeader:
    """What a stored array is: the type of its values, its shape, and whether the first axis lies together.

    `offset`: bytes before the first value.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    is_fortran: bool
    offset: int

    @property
    def data_bytes(self) -> int:
        """How many bytes the values of this shape and type take; a header may claim any number."""
        return prod(self.shape) * self.dtype.itemsize


def read_header(stream: BinaryIO, stored_bytes: int, what: str) -> ArrayHeader:
    """Read the header at the begin of an NPY array of so many bytes, up to its first value.

    `what` names the array in messages. Raises FileInvalid where it is none that can be read, where its values are
    Python objects, or where the bytes behind it are not as many as its shape and type take.
    """
    begin = read_exactly(stream, len(MAGIC) + 2, what)
    length_bytes = LENGTH_BYTES.get(begin[-2], 0)
    if not begin.startswith(MAGIC) or not length_bytes:
        raise unreadable(what)
    length = int.from_bytes(read_exactly(stream, length_bytes, what), "little")
    if length > HEADER_BYTES:
        raise FileInvalid(f"the header of {what} has {length:,} bytes, and may have {HEADER_BYTES:,}; use fewer fields")
    text = read_exactly(stream, length, what).decode("utf-8" if begin[-2] == 3 else "latin-1", "replace")
    header = _parsed(text, len(begin) + length_bytes + length, what)
    _check(header, stored_bytes - header.offset, what)
    return header


def read_exactly(stream: BinaryIO, size: int, what: str) -> bytes:
    """So many bytes. Raises FileInvalid where the stream ends before."""
    if len(data := stream.read(size)) < size:
        raise FileInvalid(f"{what} ends too early; send it again, whole")
    return data


def unreadable(what: str) -> FileInvalid:
    """That something begins like an array and is none."""
    return FileInvalid(f"{what} is no array that can be read; write it again with numpy.save or numpy.savez")


def _parsed(text: str, offset: int, what: str) -> ArrayHeader:
    try:
        parts = ast.literal_eval(text.strip())
        shape, is_fortran = parts["shape"], parts["fortran_order"]
        dtype = descr_to_dtype(parts["descr"])
    except Exception as error:  # Python's parser and numpy's types fail in a dozen ways, up to MemoryError
        raise unreadable(what) from error
    is_shape = isinstance(shape, tuple) and all(type(axis) is int and 0 <= axis < LARGEST for axis in shape)
    if not is_shape or len(shape) > MOST_AXES or type(is_fortran) is not bool:
        raise unreadable(what)
    return ArrayHeader(dtype, shape, is_fortran, offset)


def _check(header: ArrayHeader, there: int, what: str) -> None:
    if header.dtype.hasobject:
        raise FileInvalid(
            f"{what} holds Python objects, which only pickle can read, and pickle runs what it reads; "
            "store numbers, for example array.astype(float)"
        )
    if header.data_bytes >= LARGEST:
        raise unreadable(what)
    if not header.dtype.itemsize:
        raise FileInvalid(f"the values of {what} take no bytes; store values of another type")
    if header.data_bytes != there:
        raise FileInvalid(
            f"the shape {shown(header.shape)} of {what} takes {header.data_bytes:,} bytes, "
            f"and {there:,} are there; send it again, whole"
        )
