"""Arrays of NumPy: one in an NPY file, several in an NPZ file. Facts and numbers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from io import SEEK_END
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradyard.jobs.errors import FileInvalid
from gradyard.jobs.files.array_columns import BLOCK_BYTES, Run, fill, measure, runs_of
from gradyard.jobs.files.columns import check_known, check_names, check_rows, no_numbers
from gradyard.jobs.files.facts import Column, FileFacts, FileFormat
from gradyard.jobs.files.npy_header import read_exactly, read_header
from gradyard.jobs.files.npz_members import members_of
from gradyard.jobs.files.shown import quoted

WITHOUT_ANY = "only arrays of one or two axes have some"


class _StoredArray(NamedTuple):
    """An array of the file: how messages call it, where its values begin, and the columns that it has."""

    what: str
    offset: int
    runs: tuple[Run, ...]
    opened: Callable[[], AbstractContextManager[BinaryIO]]


def npy_facts(content: BinaryIO) -> FileFacts:
    """The facts of an NPY file. Raises FileInvalid where it cannot be read, or only by pickle."""
    return _facts(FileFormat.NPY, [_only_array(content)])


def npz_facts(content: BinaryIO) -> FileFacts | None:
    """The facts of an NPZ file; None where it is a zip file without arrays.

    Raises FileInvalid where it cannot be read without harm, or its columns are not of one length.
    """
    with members_of(content) as members:
        return _facts(FileFormat.NPZ, [_array(*member[:3], member.opened) for member in members]) if members else None


def npy_numbers(content: BinaryIO, wanted: Sequence[str], most_rows: int) -> dict[str, NDArray[np.float64]]:
    """Columns of an NPY file by name, each of shape (rows,), contiguous.

    Raises FileInvalid where it cannot be read, a name is no column of numbers, or there are more than `most_rows` rows.
    """
    return _numbers([_only_array(content)], wanted, most_rows)


def npz_numbers(content: BinaryIO, wanted: Sequence[str], most_rows: int) -> dict[str, NDArray[np.float64]]:
    """Columns of an NPZ file by name, each of shape (rows,), contiguous. Members without them are not unpacked.

    Raises FileInvalid where it cannot be read, a name is no column of numbers, or there are more than `most_rows` rows.
    """
    with members_of(content) as members:
        return _numbers([_array(*member[:3], member.opened) for member in members], wanted, most_rows)


def _only_array(content: BinaryIO) -> _StoredArray:
    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        content.seek(0)
        yield content

    return _array(None, "the file", content.seek(0, SEEK_END), opened)


def _array(
    name: str | None, what: str, stored_bytes: int, opened: Callable[[], AbstractContextManager[BinaryIO]]
) -> _StoredArray:
    with opened() as stream:
        header = read_header(stream, stored_bytes, what)
    return _StoredArray(what, header.offset, runs_of(header, name, what), opened)


def _facts(form: FileFormat, arrays: Sequence[_StoredArray]) -> FileFacts:
    rows = _common_rows(arrays)
    columns, first = list[Column](), list[list[Any]]()
    for array in arrays:
        with array.opened() as stream:
            read_exactly(stream, array.offset, array.what)
            for run in array.runs:
                more_columns, more_first = measure(stream, run, array.what)
                columns += more_columns
                first += more_first
            while stream.read(BLOCK_BYTES):  # of arrays without columns: a damaged one is refused as well
                pass
    return FileFacts(form, rows, tuple(columns), tuple(zip(*first, strict=True)))


def _common_rows(arrays: Sequence[_StoredArray]) -> int:
    """The rows of every column, 0 where there are none. Raises FileInvalid where two differ, or are called the same."""
    runs = [run for array in arrays for run in array.runs]
    check_names([name for run in runs for name in run.names])
    for run in runs[1:]:
        if run.rows != runs[0].rows:
            raise FileInvalid(
                f"{quoted(runs[0].names[0])} has {runs[0].rows:,} rows and {quoted(run.names[0])} has {run.rows:,}; "
                "columns of one file have the same number of rows, so send two files"
            )
    return runs[0].rows if runs else 0


def _numbers(arrays: Sequence[_StoredArray], wanted: Sequence[str], most_rows: int) -> dict[str, NDArray[np.float64]]:
    rows = _common_rows(arrays)
    columns = {name: run.column(name) for array in arrays for run in array.runs for name in run.names}
    check_known(wanted, tuple(columns), WITHOUT_ANY)
    for name in wanted:
        if not columns[name].is_numeric:
            raise no_numbers(name, columns[name].type)
    check_rows(rows, most_rows)
    found = dict[str, NDArray[np.float64]]()
    for array in arrays:
        if not any(name in wanted for run in array.runs for name in run.names):
            continue
        with array.opened() as stream:
            read_exactly(stream, array.offset, array.what)
            for run in array.runs:
                found |= fill(stream, run, wanted, array.what)
    return {name: found[name] for name in wanted}
