"""CSV files: which text is a table, what its columns hold, and by which sentence a mistake is refused."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gradyard.jobs.errors import FileInvalid
from gradyard.jobs.files.csv_rows import ROW_CHARACTERS
from gradyard.jobs.files.csv_start import SAMPLE_BYTES
from gradyard.jobs.files.facts import Column, FileFacts, FileFormat
from gradyard.jobs.files.read import facts_of, numbers_of
from tests.jobs.bounded import bounded
from tests.jobs.files.contents import facts, numbers, refusal, same_bits, written_csv

CSV = FileFormat.CSV
BYTES = FileFacts(FileFormat.BYTES, 0, (), ())
X, Y = Column("x", "number", True), Column("y", "number", True)


def test_a_table_has_rows_columns_and_its_first_five_rows() -> None:
    content = b"name,x\n" + b"".join(b"n%d,%d.5\n" % (row, row) for row in range(7))
    assert facts(content) == FileFacts(
        CSV, 7, (Column("name", "text", False), X), tuple((f"n{row}", row + 0.5) for row in range(5))
    )
    assert numbers(content, "x")["x"].tolist() == [row + 0.5 for row in range(7)]


@pytest.mark.parametrize(
    "content",
    [
        b"x,y\n1,2\n3,4\n",
        b"x,y\n1,2\n3,4",
        b"\xef\xbb\xbfx,y\r\n1,2\r\n3,4\r\n\r\n",
        b"x;y\n1;2\n3;4\n",
        b"x\ty\n1\t2\n3\t4\n",
        b"x,y\r1,2\r3,4\r",
        b'"x","y"\n"1","2"\n"3","4"\n',
        b"x, y\n1, 2\n 3, 4 \n",
        b"\nx,y\n\n1,2\n\n\n3,4\n\n",
    ],
)
def test_separators_quotes_line_ends_blank_lines_and_a_mark_of_utf_8_change_nothing(content: bytes) -> None:
    assert facts(content) == FileFacts(CSV, 2, (X, Y), ((1.0, 2.0), (3.0, 4.0)))
    assert {name: column.tolist() for name, column in numbers(content, "y", "x").items()} == {"y": [2, 4], "x": [1, 3]}


@pytest.mark.parametrize("names", ["a;b,c", "a\tb,c", "a,b\tc;d;e,f\tg\th", 'a,b";"\tc'])
def test_the_separator_is_the_one_that_makes_most_columns(names: str) -> None:
    separator = max("\t;,", key=names.count)
    columns = facts(f"{names}\n{separator.join('1' * (names.count(separator) + 1))}\n".encode()).columns
    assert len(columns) == names.count(separator) + 1


def test_a_quoted_field_may_have_separators_quotes_and_lines() -> None:
    content = b'x,note\n1,"a, ""b""\nc"\n2,\n'
    assert facts(content).preview == ((1.0, 'a, "b"\\u000ac'), (2.0, ""))
    assert "line 4" in refusal(content.replace(b"2", b"two"), CSV, "x")


@pytest.mark.parametrize("missing", ["", "NA", "NaN", "null", "nan", "na", " NULL "])
def test_a_missing_value_is_counted_and_not_a_number(missing: str) -> None:
    content = f"x,y\n1,{missing}\n2,3\n".encode()
    assert facts(content).columns[1] == Column("y", "number", True, 1)
    assert facts(content).preview[0] == (1.0, None)
    assert same_bits(numbers(content, "y")["y"], np.array([np.nan, 3]))


def test_infinity_is_read_as_it_is_and_counts_as_missing() -> None:
    content = b"x,y\n1,-inf\n2,1e999\n"
    assert facts(content).columns[1].missing == 2
    assert numbers(content, "y")["y"].tolist() == [-np.inf, np.inf]


@pytest.mark.parametrize("text", ["a", "2026-01-31", "1_000", "0x1f", "1 000", "true", "-", "N/A"])
def test_a_column_with_one_text_is_text_and_its_line_is_named(text: str) -> None:
    content = f"x,y\n1,2\n3,\n5,{text}\n".encode()
    assert facts(content).columns[1] == Column("y", "text", False)
    assert refusal(content, CSV, "y") == (
        f'line 4: "{text}" in column "y" is no number; write a number, or leave the field empty'
    )


def test_a_decimal_comma_is_no_number_and_is_told_apart() -> None:
    content = b"x;y\n1;2,5\n"
    assert facts(content).columns[1].type == "text"
    assert refusal(content, CSV, "y") == 'line 2: "2,5" in column "y" is no number; write numbers like 1234.5'


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"x,y\n" + b"1,2\n" * 5 + b"1,2,3\n", "line 7 has 3 fields, its header has 2; separate the fields of each"),
        (b"x;y\n1;2\n1\n", "line 3 has 1 field, its header has 2; separate the fields of each line by a semicolon"),
        (b'x,y\n"1\n",2\n1\n', "line 4 has 1 field, its header has 2"),
        (b"x,y\n1,2,3\n4,5,6\n", "line 2 has 3 fields, its header has 2"),
        (b"x\n1,2\n3,4\n", "line 2 has 2 fields, its header has 1"),
        (b"x,x\n1,2\n", 'columns 1 and 2 are both called "x"; give each column its own name'),
        (b"x, x \n1,2\n", 'columns 1 and 2 are both called "x"; give each column its own name'),
        (b",x\n0,2\n", "column 1 has no name; give each column a name"),
        (b"1,2\n3,4\n", "line 1 has numbers alone; put a line with the names of the columns above it"),
        (b"1.5\n2.5\n", "line 1 has numbers alone; put a line with the names of the columns above it"),
        (b"1,2", "line 1 has numbers alone; put a line with the names of the columns above it"),
        (b'x,y\n1,2\n"3,4\n5,6\n', "line 3 begins a quoted field that does not end; close its quote"),
        (b'x,y\n1,"2"3\n', "line 2 has text after a quoted field; write a quote within quotes twice"),
        (b"x,y\n1,2\n3," + b"4" * 200_000, "line 3 has a field that is too long; shorten it, or close its quote"),
        (b"x,y\n1,2\n3,\xff\n", "line 3 is not UTF-8; save the file as CSV in UTF-8"),
        (b"x,y\n1,2\n3,\xc3", "line 3 is not UTF-8; save the file as CSV in UTF-8"),
        (b"x,y\n1,2\n3,\0\n", "line 3 has a NUL, which is no text; save the file as CSV in UTF-8"),
        (b"x\x07,y\n1,2\n", r'the name of column 1 has characters that cannot be seen: "x\u0007"; rename the column'),
        (b'"x\n",y\n1,2\n', ""),
    ],
)
def test_a_mistake_in_a_table_of_numbers_is_refused_with_its_line(content: bytes, sentence: str) -> None:
    if sentence:
        assert refusal(content).startswith(sentence)
        assert refusal(content, CSV, "x").startswith(sentence)
    else:
        assert facts(content).columns == (X, Y)  # blanks around a name are none of its letters


def test_a_mistake_far_into_a_file_is_refused_with_its_line() -> None:
    rows = b"x,note\n" + b"1,%s\n" % (b"n" * 1000) * 2000
    line = 2002
    assert len(rows) > SAMPLE_BYTES
    assert refusal(rows + b"\xff,1\n").startswith(f"line {line} is not UTF-8")
    assert refusal(rows + b"1\n").startswith(f"line {line} has 1 field")
    assert refusal(rows + b"a,1\n", CSV, "x").startswith(f'line {line}: "a"')


@pytest.mark.parametrize(
    "content",
    [
        b"\n\n",
        b"word",
        b"First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n",
        b"Dear reader,\nthis is 1 letter.\n",
        b"Hello, world\n\nIt is, as they say, prose,\nand its lines, all of them, have commas.\n",
        b"a,b\nsome,text\nand,a,mistake\n",
        b'label\ttext\nham\t"Hello" she said\nspam\tBuy\n',
        b'{"x": 1, "y": 2}\n{"x": 3, "y": 4}\n',
        b"[1, 2]\n[3, 4]\n",
        b"<svg>\n1,2\n3,4\n",
        b"import os, sys\n\nprint('hello')\n",
        b"0.1 0.2\n0.3 0.4\n",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
        "Größe,y\n1,2\n".encode("latin-1"),
        "x,y\n1,2\n".encode("utf-16"),
        b"x,y\n1,\xff\n",
        b"x,\0\n1,2\n",
        b"\x80\x04\x95,",
        b"x" * (SAMPLE_BYTES + 1) + b"\n1\n2\n",
    ],
)
def test_other_text_and_other_bytes_are_no_table(content: bytes) -> None:
    assert facts(content) == BYTES
    assert refusal(content, CSV, "x")  # as if the stored facts were of another file


def test_a_header_without_rows_is_a_table_of_none() -> None:
    assert facts(b"x,y\n") == FileFacts(CSV, 0, (X, Y), ())
    assert numbers(b"x,y\n", "x")["x"].shape == (0,)


def test_a_file_that_has_too_many_columns_or_too_long_a_name_is_refused() -> None:
    wide = written_csv([f"c{place}" for place in range(1001)], [range(1001)])
    assert refusal(wide) == "the file has 1,001 columns, and may have 1,000; leave out some"
    assert len(facts(written_csv([f"c{place}" for place in range(1000)], [range(1000)])).columns) == 1000
    long = f"{'x' * 201},y\n1,2\n".encode()
    assert refusal(long) == "the name of column 1 has 201 characters; shorten it to 200"


def test_a_name_that_is_no_column_is_refused_with_the_nearest_one() -> None:
    content = b"length,width,a,b,c,d\n1,2,3,4,5,6\n"
    assert refusal(content, CSV, "lenght") == 'the file has no column "lenght"; did you mean "length"?'
    assert (
        refusal(content, CSV, "?") == 'the file has no column "?"; it has "length", "width", "a", "b", "c" and 1 more'
    )


def test_more_rows_than_may_be_read_are_refused_before_they_are_read() -> None:
    content = b"x,y\n1,2\n3,4\n"
    assert numbers(content, "x", most_rows=2)["x"].tolist() == [1, 3]
    assert refusal(content, CSV, "x", most_rows=1) == (
        "the file has more than the 1 rows that may be read; send fewer rows"
    )
    endless = _Endless(b"x,y\n1,2\n", b"1,2\n", 2**60)
    with pytest.raises(FileInvalid, match="more than the 1,000 rows"), bounded(2**26):
        numbers_of(endless, CSV, ["x"], 1000)


class _Endless(io.BytesIO):
    """A begin, and a piece again and again, up to a size; none of it is in memory."""

    def __init__(self, begin: bytes, piece: bytes, size: int) -> None:
        super().__init__()
        self._begin, self._piece, self._size, self._at = begin, piece, size, 0

    def seek(self, offset: int, whence: int = 0) -> int:
        assert whence == 0
        self._at = offset
        return offset

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        size = max(min(size if size >= 0 else self._size, self._size - self._at), 0)
        begin = self._begin[self._at : self._at + size]
        place = (self._at + len(begin) - len(self._begin)) % len(self._piece)
        again = self._piece * ((size - len(begin)) // len(self._piece) + 2)
        self._at += size
        return begin + again[place : place + size - len(begin)]


def test_the_memory_that_facts_take_is_that_of_a_block_and_not_of_the_file() -> None:
    begin, piece = b"x,y,note\n", b"0.123456789012345,1e-300," + b"n" * 1000 + b"\n"
    with bounded(2**25):
        assert facts_of(_Endless(begin, piece, len(begin) + 60_000 * len(piece))).rows == 60_000  # 62 MB


@pytest.mark.parametrize(
    ("begin", "piece", "sentence"),
    [
        (b'x,y\n1,2\n"', b"a" * 1000, f"is longer than {ROW_CHARACTERS:,} characters"),
        (b'x,y\n1,2\n"', b'1\n","', f"is longer than {ROW_CHARACTERS:,} characters"),
        (b"x,y\n1,2\n", b"1,", f"is longer than {ROW_CHARACTERS:,} characters"),
    ],
)
def test_a_row_without_end_is_refused_within_bounds(begin: bytes, piece: bytes, sentence: str) -> None:
    with pytest.raises(FileInvalid, match=sentence), bounded(2**26):
        facts_of(_Endless(begin, piece, 2**40))


FLOATS = st.floats(allow_nan=False)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[Any]]]:
    """A header, and rows that begin with a number."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    assume(not names[0].startswith(("{", "[", "<", "\ufeff")) and any(map(str.isalpha, "".join(names))))
    others = st.one_of(FLOATS, st.sampled_from(["", "NA", "null"]))
    row = st.tuples(st.floats(allow_nan=False, allow_infinity=False), *[others] * (len(names) - 1))
    return names, [list(each) for each in draw(st.lists(row, min_size=1, max_size=8))]


@given(tables(), st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_numbers_that_were_written_are_read_with_the_same_bits(
    table: tuple[list[str], list[list[Any]]], delimiter: str, end: str, quoted: bool
) -> None:
    names, rows = table
    assume(all(each not in "".join(names) for each in ",;\t" if each != delimiter))
    assume(not all(_is_float(name) for name in names))
    content = written_csv(names, rows, delimiter=delimiter, lineterminator=end, quoting=1 if quoted else 0)
    found = facts(content)
    assert (found.rows, [column.name for column in found.columns]) == (len(rows), names)
    read = numbers(content, *names)
    for place, column in enumerate(found.columns):
        wanted = np.array([row[place] if isinstance(row[place], float) else np.nan for row in rows])
        assert same_bits(read[column.name], wanted)
        assert column == Column(column.name, "number", True, int(np.sum(~np.isfinite(wanted))))


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
