"""The rows of a text with separators, read in blocks: memory is bounded whatever the file holds."""

import csv
from codecs import getincrementaldecoder
from collections.abc import Iterator
from io import IncrementalNewlineDecoder, StringIO
from typing import BinaryIO, NamedTuple

from gradyard.jobs.errors import FileInvalid

BLOCK_BYTES = 2**18  # its rows, as Python's lists of texts, take up to sixty times as much
ROW_CHARACTERS = 2**20
CSV_ERRORS = {
    "unexpected end of data": "begins a quoted field that does not end; close its quote, or write the quote twice",
    "field larger than": "has a field that is too long; shorten it, or close its quote",
    "expected after": "has text after a quoted field; write a quote within quotes twice",
}
"""What to tell people, by a part of the message of Python's csv."""


class Rows(NamedTuple):
    """Rows that follow one another: the fields of each, and the line of the file on which each ends (from 1)."""

    fields: list[list[str]]
    lines: list[int]


def row_blocks(content: BinaryIO, delimiter: str) -> Iterator[Rows]:
    """All rows of a text in UTF-8, the header as well, without blank lines; of each block at least one row.

    Raises FileInvalid, with the line, where the text is not UTF-8, has a NUL, a quote is wrong, or a row is too long.
    """
    text = _Lines(content)
    reader = csv.reader(iter(text), delimiter=delimiter, skipinitialspace=True, strict=True)
    rows, begun, line = Rows([], []), 0, 0
    try:
        for fields in reader:
            line = reader.line_num
            text.row_ended_at = text.characters
            if fields:
                rows.fields.append(fields)
                rows.lines.append(line)
            if text.characters != begun and rows.fields:
                begun = text.characters
                yield rows
                rows = Rows([], [])
    except csv.Error as error:
        told = (what for part, what in CSV_ERRORS.items() if part in str(error))
        raise FileInvalid(f"line {line + 1} {next(told, f'cannot be read: {error}')}") from None
    if rows.fields:
        yield rows


class _Lines:
    """The lines of a text in UTF-8, each ended by a newline, read by blocks.

    `characters`: so many were read. `row_ended_at`: how many had been read when the last row ended, told by the reader
    of rows; a quoted field may have several lines, and a row must not grow without end.
    """

    def __init__(self, content: BinaryIO) -> None:
        self.characters = self.row_ended_at = 0
        self._content, self._lines = content, 0
        self._decoder = IncrementalNewlineDecoder(getincrementaldecoder("utf-8-sig")(), translate=True)

    def __iter__(self) -> Iterator[str]:
        rest, block = "", b"first"
        while block:
            self._check_row()
            block = self._content.read(BLOCK_BYTES)
            whole, newline, rest = (rest + self._decoded(block)).rpartition("\n")
            yield from StringIO(whole + newline, newline="\n")
        if rest:
            yield rest

    def _check_row(self) -> None:
        # Every line that was read is handed on: what came since the last row ended is one row.
        if self.characters - self.row_ended_at >= ROW_CHARACTERS:
            raise FileInvalid(
                f"the row that reaches line {self._lines + 1} is longer than {ROW_CHARACTERS:,} characters; "
                "make it shorter, or close its quote"
            )

    def _decoded(self, block: bytes) -> str:
        try:
            text = self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            line = self._lines + error.object[: error.start].count(b"\n") + 1
            raise FileInvalid(f"line {line} is not UTF-8; save the file as CSV in UTF-8") from None
        if "\0" in text:
            line = self._lines + text[: text.index("\0")].count("\n") + 1
            raise FileInvalid(f"line {line} has a NUL, which is no text; save the file as CSV in UTF-8")
        self.characters += len(text)
        self._lines += text.count("\n")
        return text
