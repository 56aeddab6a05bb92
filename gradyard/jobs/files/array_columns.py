"""Columns of stored arrays, read in blocks. An array is one or several runs of records whose fields are its columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gradyard.jobs.errors import FileInvalid
from gradyard.jobs.files.columns import MOST_COLUMNS, PREVIEW_ROWS, check_names, missing_in
from gradyard.jobs.files.facts import Column
from gradyard.jobs.files.npy_header import ArrayHeader, read_exactly
from gradyard.jobs.files.shown import shown

BLOCK_BYTES = 2**22


@dataclass(frozen=True)
class Run:
    """Records of one type that lie one after another: `record` has a field for each column, called like it."""

    record: np.dtype[np.void]
    rows: int

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the run."""
        return self.record.names or ()

    def column(self, name: str, missing: int = 0) -> Column:
        """The facts of one column. Numbers are booleans, integers and floats; neither complex ones nor arrays."""
        kind = self.record[name]
        return Column(name, kind.name, kind.kind in "biuf", missing)


def runs_of(header: ArrayHeader, member: str | None, what: str) -> tuple[Run, ...]:
    """The columns of an array as runs, in the order in which they are stored.

    An array of shape (n,) has the column `0`, of shape (n, k) the columns `0` to `k-1`, and with named fields these.
    Others have none. Within `member` of an NPZ file they are called `member` and `member.0`. Raises FileInvalid where
    there are too many columns, or a name is not allowed.
    """
    dtype, shape = header.dtype, header.shape
    if dtype.names is not None and len(shape) == 1:
        names = _named(dtype.names, member)
        fields = [dtype.fields[name] for name in dtype.names] if dtype.fields else []
        formats, offsets = [field[0] for field in fields], [field[1] for field in fields]
        return (_run(names, formats, offsets, dtype.itemsize, shape[0], what),)
    if dtype.names is not None or len(shape) not in (1, 2) or shape[1:] == (0,):
        return ()
    width = shape[1] if len(shape) == 2 else 1
    if width > MOST_COLUMNS:
        raise FileInvalid(f"{what} has {width:,} columns, and may have {MOST_COLUMNS:,}; leave out some")
    names = [member] if member is not None and len(shape) == 1 else _named(map(str, range(width)), member)
    size = dtype.itemsize
    if header.is_fortran:
        return tuple(_run([name], [dtype], [0], size, shape[0], what) for name in names)
    return (_run(names, [dtype] * width, [place * size for place in range(width)], width * size, shape[0], what),)


def _named(fields: Any, member: str | None) -> list[str]:
    return [field if member is None else f"{member}.{field}" for field in fields]


def _run(names: list[str], formats: list[Any], offsets: list[int], size: int, rows: int, what: str) -> Run:
    check_names(names)
    if size > BLOCK_BYTES:
        raise FileInvalid(f"a row of {what} takes {size:,} bytes, and may take {BLOCK_BYTES:,}; use smaller values")
    return Run(np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size}), rows)


def measure(stream: BinaryIO, run: Run, what: str) -> tuple[list[Column], list[list[Any]]]:
    """The columns of the next run of a stream, and the first values of each, as values of JSON."""
    missing, first = dict.fromkeys(run.names, 0), np.empty(0, run.record)
    floats = [name for name in run.names if run.record[name].kind == "f"]
    for block in _blocks(stream, run, what):
        first = first if len(first) else block[:PREVIEW_ROWS].copy()
        for name in floats:
            missing[name] += missing_in(block[name])
    columns = [run.column(name, missing[name]) for name in run.names]
    return columns, [[_shown(first[name], place) for place in range(len(first))] for name in run.names]


def fill(stream: BinaryIO, run: Run, wanted: Sequence[str], what: str) -> dict[str, NDArray[np.float64]]:
    """Those of the wanted columns that the next run of a stream has, as numbers of shape (rows,)."""
    here = [name for name in run.names if name in wanted]
    if not here:
        for _ in _blocks(stream, run, what):  # no seek: from Python 3.12 on, it ends zipfile's check of damage
            pass
        return {}
    numbers, at = {name: np.empty(run.rows) for name in here}, 0
    for block in _blocks(stream, run, what):
        with np.errstate(all="ignore"):  # a long double may be over the largest float64: inf
            for name in here:
                numbers[name][at : at + block.size] = block[name]
        at += block.size
    return numbers


def _blocks(stream: BinaryIO, run: Run, what: str) -> Iterator[NDArray[np.void]]:
    size = run.record.itemsize
    at_once = BLOCK_BYTES // size
    for at in range(0, run.rows, at_once):
        yield np.frombuffer(read_exactly(stream, min(at_once, run.rows - at) * size, what), run.record)


def _shown(values: NDArray[Any], place: int) -> Any:
    try:
        value = values[place]
        if isinstance(value, np.datetime64 | np.timedelta64):
            return None if np.isnat(value) else shown(str(value))
        return shown(value.item() if isinstance(value, np.bool | np.integer | np.bytes_) else value)
    except Exception:  # a letter beyond Unicode is a SystemError, a date beyond its type an error of another kind
        return None
