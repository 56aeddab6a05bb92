"""Whether a text is a table, told by its first rows, and what stands between its fields."""

import csv
from codecs import getincrementaldecoder
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import IncrementalNewlineDecoder, StringIO
from itertools import islice
from typing import BinaryIO

from gradyard.jobs.files.columns import name_problem
from gradyard.jobs.files.csv_fields import is_missing, is_number

SAMPLE_BYTES, SAMPLE_ROWS = 2**20, 50
DELIMITERS = {"\t": "tab", ";": "semicolon", ",": "comma"}  # the likelier one in a name comes later
OTHER_TEXT = ("{", "[", "<")  # JSON and XML


@dataclass(frozen=True)
class TableStart:
    """How a table begins: what stands between its fields, and whether most of its first rows have a number."""

    delimiter: str
    has_numbers: bool


def table_start(content: BinaryIO) -> TableStart | None:
    """How the table begins that the content is; None where it is none. Reads a MiB at most, and goes back to 0.

    A table has a header, and rows most of which have a number, or which all have as many fields as the header, two at
    least. What follows its first rows decides nothing: what begins as a table and goes wrong later is a table with a
    mistake. A header without rows is a table if it names two columns or more.
    """
    text = _sample(content)
    line = text.lstrip("\n").partition("\n")[0]
    if not line.strip() or line.lstrip().startswith(OTHER_TEXT):
        return None
    delimiter = _delimiter(text)
    header, *rows = list(islice(_rows(text, delimiter), 1 + SAMPLE_ROWS)) or [()]
    if not rows:
        return TableStart(delimiter, _has_number(header)) if len(header) > 1 and not name_problem(header) else None
    if 2 * sum(map(_has_number, rows)) >= len(rows):
        return TableStart(delimiter, True)
    alike = len(header) > 1 and all(len(row) == len(header) for row in rows)
    return TableStart(delimiter, False) if alike else None


def _sample(content: BinaryIO) -> str:
    """The first whole lines, up to what is no text."""
    content.seek(0)
    sample = content.read(SAMPLE_BYTES)
    content.seek(0)
    data, ends = sample.partition(b"\0")[0], len(sample) < SAMPLE_BYTES
    decoder = IncrementalNewlineDecoder(getincrementaldecoder("utf-8-sig")(), translate=True)
    try:
        text, ends = decoder.decode(data, final=ends), ends and len(data) == len(sample)
    except UnicodeDecodeError as error:
        decoder.reset()
        text, ends = decoder.decode(data[: error.start]), False
    return text if ends else "".join(text.rpartition("\n")[:2])


def _rows(text: str, delimiter: str) -> Iterator[Sequence[str]]:
    """The rows as far as they can be read; blank lines are left out."""
    with suppress(csv.Error):  # a field without end
        yield from filter(None, csv.reader(StringIO(text, newline="\n"), delimiter=delimiter, skipinitialspace=True))


def _delimiter(text: str) -> str:
    """What makes most fields of the header, and where two make as many also of the next row; else a comma."""
    fields = {}
    for each in DELIMITERS:
        header, below = [*map(len, islice(_rows(text, each), 2)), 0, 0][:2]
        fields[each] = header, header == below
    found = max(fields, key=lambda each: fields[each])
    return found if fields[found][0] > 1 else ","


def _has_number(row: Sequence[str]) -> bool:
    return any(map(is_number, row)) or all(map(is_missing, row))
