"""Tables that are text (CSV): facts and numbers."""

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from gradyard.jobs.errors import FileInvalid
from gradyard.jobs.files.columns import PREVIEW_ROWS, check_known, check_names, missing_in
from gradyard.jobs.files.csv_fields import as_numbers, first_text, is_number
from gradyard.jobs.files.csv_rows import Rows, row_blocks
from gradyard.jobs.files.csv_start import DELIMITERS, table_start
from gradyard.jobs.files.facts import Column, FileFacts, FileFormat
from gradyard.jobs.files.shown import quoted, shown

NUMBER, TEXT = "number", "text"


def csv_facts(content: BinaryIO) -> FileFacts | None:
    """The facts of a CSV file; None where the content is no table.

    Raises FileInvalid, with the line, where it begins as a table of numbers and goes wrong. Text without numbers that
    goes wrong is no table: prose and logs have commas as well, and no job is trained on their columns.
    """
    if (start := table_start(content)) is None:
        return None
    try:
        return _facts(content, start.delimiter)
    except FileInvalid:
        if start.has_numbers:
            raise
        return None


def csv_numbers(content: BinaryIO, wanted: Sequence[str], most_rows: int) -> dict[str, NDArray[np.float64]]:
    """Columns of a CSV file by name, each of shape (rows,); NaN for missing values.

    Raises FileInvalid where the content is no table or has a mistake, a name is no column, a value is no number, or
    there are more than `most_rows` rows; the file is read no further.
    """
    if (start := table_start(content)) is None:
        raise FileInvalid("the file is no table; send a CSV file that begins with the names of its columns")
    header, blocks = _table(content, start.delimiter)
    check_known(wanted, header, "")
    places = {name: header.index(name) for name in wanted}
    numbers, rows = {name: array("d") for name in places}, 0
    for block in blocks:
        if (rows := rows + len(block.fields)) > most_rows:
            raise FileInvalid(f"the file has more than the {most_rows:,} rows that may be read; send fewer rows")
        for name, place in places.items():
            numbers[name].frombytes(_numbers(name, [fields[place] for fields in block.fields], block.lines).tobytes())
    # A buffer that grows by a sixteenth takes less memory than blocks beside the whole.
    return {name: np.frombuffer(each, np.float64) if each else np.empty(0) for name, each in numbers.items()}


def _numbers(name: str, fields: list[str], lines: list[int]) -> NDArray[np.float64]:
    if (numbers := as_numbers(fields)) is not None:
        return numbers
    place = first_text(fields) or 0
    what = "write numbers like 1234.5" if is_number(fields[place]) else "write a number, or leave the field empty"
    raise FileInvalid(f"line {lines[place]}: {quoted(fields[place])} in column {quoted(name)} is no number; {what}")


def _facts(content: BinaryIO, delimiter: str) -> FileFacts:
    header, blocks = _table(content, delimiter)
    found, rows, first = [_Found() for _ in header], 0, list[list[str]]()
    for block in blocks:
        rows += len(block.fields)
        first += block.fields[: PREVIEW_ROWS - len(first)]
        for each, fields in zip(found, zip(*block.fields, strict=True), strict=False):
            each.add(fields)
    columns = tuple(each.column(name) for name, each in zip(header, found, strict=True))
    preview = tuple(tuple(map(_shown, fields, columns)) for fields in first)
    return FileFacts(FileFormat.CSV, rows, columns, preview)


class _Found:
    """What is known of a column so far."""

    def __init__(self) -> None:
        self._is_numeric, self._missing = True, 0

    def add(self, fields: Sequence[str]) -> None:
        if not self._is_numeric:
            return
        if (numbers := as_numbers(fields)) is None:
            self._is_numeric, self._missing = False, 0
        else:
            self._missing += missing_in(numbers)

    def column(self, name: str) -> Column:
        return Column(name, NUMBER if self._is_numeric else TEXT, self._is_numeric, self._missing)


def _shown(field: str, column: Column) -> object:
    numbers = as_numbers([field]) if column.is_numeric else None
    return shown(field if numbers is None else float(numbers[0]))


def _table(content: BinaryIO, delimiter: str) -> tuple[list[str], Iterator[Rows]]:
    """The header, and the rows below it, each of as many fields."""
    content.seek(0)
    blocks = row_blocks(content, delimiter)
    first = next(blocks)  # what begins as a table has a row
    header = [name.strip() for name in first.fields[0]]
    if all(map(is_number, header)):
        raise FileInvalid(f"line {first.lines[0]} has numbers alone; put a line with the names of the columns above it")
    check_names(header)
    below = Rows(first.fields[1:], first.lines[1:])
    return header, _checked(chain([below], blocks), len(header), DELIMITERS[delimiter])


def _checked(blocks: Iterator[Rows], width: int, separator: str) -> Iterator[Rows]:
    for block in blocks:
        if not block.fields:
            continue
        if set(map(len, block.fields)) != {width}:
            place = next(place for place, fields in enumerate(block.fields) if len(fields) != width)
            raise FileInvalid(
                f"line {block.lines[place]} has {_counted(len(block.fields[place]))}, its header has {width:,}; "
                f"separate the fields of each line by a {separator}, and quote a field that has one in it"
            )
        yield block


def _counted(fields: int) -> str:
    return f"{fields:,} field{'' if fields == 1 else 's'}"
