"""Parquet files, by pyarrow, which is asked for only here: facts and numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gradyard.jobs.files.columns import NAME_CHARACTERS, PREVIEW_ROWS, check_known, check_rows, missing_in, no_numbers
from gradyard.jobs.files.facts import Column, FileFacts, FileFormat
from gradyard.jobs.files.parquet_opening import damaged, is_numeric, opened
from gradyard.jobs.files.parquet_pages import check_pages
from gradyard.jobs.files.shown import shown

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

ROWS_AT_ONCE = 65_536
TYPE_CHARACTERS = 200
SHOWN_BYTES = 2**24  # of a column without numbers: Arrow unpacks whole pages, whatever is asked for


def parquet_facts(content: BinaryIO) -> FileFacts:
    """The facts of a Parquet file.

    Raises FileInvalid where it cannot be read without harm, and where this host lacks pyarrow.
    """
    with opened(content) as file:
        table = _Table(content, file)
        measured = [_measured(table, column) for column in table.columns]
        preview = zip(*(first for _, first in measured), strict=True)
        rows = table.rows if measured else 0
        return FileFacts(FileFormat.PARQUET, rows, tuple(column for column, _ in measured), tuple(preview))


def parquet_numbers(content: BinaryIO, wanted: Sequence[str], most_rows: int) -> dict[str, NDArray[np.float64]]:
    """Columns of a Parquet file by name, each of shape (rows,), contiguous; NaN for nulls. Others are not read.

    Raises FileInvalid where it cannot be read, a name is no column of numbers, there are more than `most_rows` rows,
    and where this host lacks pyarrow.
    """
    with opened(content) as file:
        table = _Table(content, file)
        columns = {column.name: column for column in table.columns}
        check_known(wanted, tuple(columns), "write the file with some")
        for name in wanted:
            if not columns[name].is_numeric:
                raise no_numbers(name, columns[name].type)
        check_rows(table.rows, most_rows)
        return {name: _numbers(table, name) for name in dict.fromkeys(wanted)}


class _Table:
    """An opened file: its top-level columns, and the values of each in order."""

    def __init__(self, content: BinaryIO, file: ParquetFile) -> None:
        self.rows: int = file.metadata.num_rows
        self.columns = [
            Column(field.name, str(field.type)[:TYPE_CHARACTERS], is_numeric(field.type)) for field in file.schema_arrow
        ]
        self._content, self._file = content, file
        self._places = defaultdict[str, list[int]](list)  # of the parts of a column: a nested one has several
        for place in range(file.metadata.num_columns):
            path = f"{file.metadata.schema.column(place).path}."[: NAME_CHARACTERS + 1]
            for end in (end for end, letter in enumerate(path) if letter == "."):
                self._places[path[:end]].append(place)

    def chunks(self, name: str) -> Iterator[Any]:
        """Where a column lies: pyarrow's ColumnChunkMetaData of each part and row group."""
        for group in range(self._file.metadata.num_row_groups):
            yield from (self._file.metadata.row_group(group).column(place) for place in self._places[name])

    def arrays(self, name: str, rows: int = ROWS_AT_ONCE) -> Iterator[pa.Array]:
        """The values of a column, so many at once."""
        check_pages(self._content, self.chunks(name))
        for batch in self._file.iter_batches(rows, columns=[name], use_threads=False):
            yield batch.column(name)

    def check_count(self, name: str, rows: int) -> None:
        """Raise FileInvalid where a column had another number of values than the file has rows."""
        if rows != self.rows:
            raise damaged(f"column {name} has {rows:,} values for {self.rows:,} rows")


def _measured(table: _Table, column: Column) -> tuple[Column, list[Any]]:
    """The column with the number of missing values, and its first values as values of JSON."""
    if not column.is_numeric:
        return column, _first_values(table, column.name)
    missing, first, rows = 0, list[Any](), 0
    for array in table.arrays(column.name):
        first = first or [_shown(value) for value in array[:PREVIEW_ROWS]]
        missing += missing_in(_as_numbers(array))
        rows += len(array)
    table.check_count(column.name, rows)
    return replace(column, missing=missing), first


def _first_values(table: _Table, name: str) -> list[Any]:
    rows = min(table.rows, PREVIEW_ROWS)
    if not rows or sum(chunk.total_uncompressed_size for chunk in table.chunks(name)) > SHOWN_BYTES:
        return [None] * rows
    return [_shown(value) for value in next(table.arrays(name, rows))]


def _numbers(table: _Table, name: str) -> NDArray[np.float64]:
    numbers, rows = np.empty(table.rows), 0
    for array in table.arrays(name):
        numbers[rows : rows + len(array)] = _as_numbers(array)
        rows += len(array)
    table.check_count(name, rows)
    return numbers


def _as_numbers(array: pa.Array) -> NDArray[np.float64]:
    import pyarrow as pa

    if pa.types.is_decimal(array.type):
        array = array.cast(pa.string())  # Arrow's own way from a decimal to a float rounds twice
    return array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def _shown(value: pa.Scalar) -> Any:
    try:
        return shown(value.as_py())
    except Exception:  # a date beyond Python's, text that is not UTF-8: Arrow's errors have many classes
        return None
