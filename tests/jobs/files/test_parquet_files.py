"""Parquet files: what their columns are and hold, and by which sentence a file is refused."""

import io
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradyard.jobs.errors import ContentUnavailable
from gradyard.jobs.files.facts import Column, FileFacts, FileFormat
from gradyard.jobs.files.read import facts_of
from tests.jobs.bounded import bounded
from tests.jobs.files.contents import facts, numbers, refusal, same_bits, written_parquet

PARQUET = FileFormat.PARQUET


def test_a_table_has_rows_columns_and_its_first_five_rows() -> None:
    content = written_parquet(
        {"n": range(7), "who": ["a", None, "c", "d", "e", "f", "g"], "y": [0.5, None, np.nan] + [1.0] * 4}
    )
    columns = (Column("n", "int64", True), Column("who", "string", False), Column("y", "double", True, 2))
    preview = ((0, "a", 0.5), (1, None, None), (2, "c", None), (3, "d", 1.0), (4, "e", 1.0))
    assert facts(content) == FileFacts(PARQUET, 7, columns, preview)
    found = numbers(content, "y", "n")
    assert list(found) == ["y", "n"]
    assert same_bits(found["y"], np.array([0.5, np.nan, np.nan, 1, 1, 1, 1]))
    assert same_bits(found["n"], np.arange(7.0))


@pytest.mark.parametrize(
    ("values", "numbers_of_them", "first"),
    [
        (pa.array([True, None]), [1, np.nan], True),
        (pa.array([2**64 - 1, 0], pa.uint64()), [2.0**64, 0], 2**64 - 1),
        (pa.array([2**53 + 1, None]), [2.0**53, np.nan], 2**53 + 1),
        (pa.array([-1, 1], pa.int8()), [-1, 1], -1),
        (pa.array([1.5, None], pa.float16()), [1.5, np.nan], 1.5),
        (pa.array([np.inf, 0.1], pa.float32()), [np.inf, float(np.float32(0.1))], None),
        (pa.array([Decimal("0.07"), None], pa.decimal128(5, 2)), [0.07, np.nan], 0.07),
        (pa.array([Decimal("-1.1"), Decimal("9" * 38)], pa.decimal256(60, 20)), [-1.1, 1e38], -1.1),
    ],
)
def test_booleans_integers_floats_and_decimals_are_numbers(values: pa.Array, numbers_of_them: Any, first: Any) -> None:
    content = written_parquet({"x": values})
    wanted = np.array(numbers_of_them, np.float64)
    found = facts(content)
    assert found.columns == (Column("x", str(values.type), True, int(np.sum(~np.isfinite(wanted)))),)
    assert found.preview[0] == (first,)
    assert same_bits(numbers(content, "x")["x"], wanted)


@pytest.mark.parametrize(
    ("values", "first"),
    [
        (pa.array(["x" * 100]), "x" * 59 + "…"),
        (pa.array([b"a\xff\0"]), r"a\xff\u0000"),
        (pa.array(["a"]).dictionary_encode(), "a"),
        (pa.array([[1.0, 2.0]]), "[1.0, 2.0]"),
        (pa.array([{"a": 1.0}]), "{'a': 1.0}"),
        (pa.nulls(1), None),
        (pa.array([date(2026, 1, 31)]), "2026-01-31"),
        (pa.array([10**7], pa.date32()), None),
        (pa.array([datetime(2026, 1, 31, tzinfo=UTC)]), "2026-01-31 00:00:00+00:00"),
    ],
)
def test_other_types_are_no_numbers_and_shown_as_text(values: pa.Array, first: Any) -> None:
    content = written_parquet({"x": values})
    kind = str(pq.read_schema(io.BytesIO(content)).field("x").type)
    found = facts(content)
    assert found.columns == (Column("x", kind, False),)
    assert found.preview == ((first,),)
    assert refusal(content, PARQUET, "x") == f'the column "x" has no numbers but {kind}; name a column of numbers'


def test_a_column_with_a_point_in_its_name_is_not_one_within_another() -> None:
    content = written_parquet({"a": [{"b": 1.0}], "a.b": [2.0], "a.": [3.0]})
    assert [column.is_numeric for column in facts(content).columns] == [False, True, True]
    assert {name: each.tolist() for name, each in numbers(content, "a.", "a.b").items()} == {"a.": [3], "a.b": [2]}


def test_row_groups_pages_and_blocks_follow_one_another_in_order() -> None:
    content = written_parquet({"x": np.arange(200_000.0)}, row_group_size=70_000, data_page_size=1000)
    assert facts(content).rows == 200_000
    assert same_bits(numbers(content, "x")["x"], np.arange(200_000.0))


@pytest.mark.parametrize("columns", [{}, {"x": pa.array([], pa.float64())}])
def test_a_table_may_be_empty(columns: dict[str, Any]) -> None:
    content = written_parquet(columns)
    assert facts(content) == FileFacts(PARQUET, 0, tuple(Column(name, "double", True) for name in columns), ())
    assert {name: each.shape for name, each in numbers(content, *columns).items()} == dict.fromkeys(columns, (0,))


TABLE = written_parquet({"length": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 3.0]}, compression="none", use_dictionary=False)


def test_more_rows_than_may_be_read_and_unknown_names_are_refused() -> None:
    assert refusal(TABLE, PARQUET, "y", most_rows=2) == (
        "the file has 3 rows, and 2 may be read; send a file with fewer rows"
    )
    assert refusal(TABLE, PARQUET, "lenght") == 'the file has no column "lenght"; did you mean "length"?'
    assert refusal(written_parquet({}), PARQUET, "y") == "the file has no columns: write the file with some"


@pytest.mark.parametrize("end", [4, 11, 12, 60, len(TABLE) - 1])
def test_a_file_that_is_cut_off_is_refused(end: int) -> None:
    cut = "the file begins like Parquet and cannot be read (its end is missing); write it again"
    assert refusal(TABLE[:end]) == refusal(TABLE[:end], PARQUET, "y") == cut


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PAR1" + b"\xff" * 50 + b"\x20\0\0\0PAR1", "the file begins like Parquet and cannot be read (Couldn't"),
        (b"PAR1" + bytes(8) + b"\xff\xff\xff\xffPAR1", "the footer has 4,294,967,295 bytes, and may have 16"),
        (TABLE[:4] + b"\xff" * 20 + TABLE[24:], "the file begins like Parquet, and a page of it is damaged; write"),
        (written_parquet({"x\n": [1]}), "the name of column 1 has characters that cannot be seen"),
        (written_parquet({f"c{place}": [1] for place in range(1001)}), "the file has 1,001 columns, and may"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_without_harm_is_refused(content: bytes, sentence: str) -> None:
    assert refusal(content).startswith(sentence)
    assert refusal(content, PARQUET, "length").startswith(sentence)


def test_more_numbers_than_a_gib_are_refused_however_few_bytes_they_take() -> None:
    nothing = pa.nulls(2**20 + 1, pa.bool_())
    content = written_parquet({f"c{place}": nothing for place in range(128)}, compression="none", use_dictionary=False)
    assert len(content) < 2**21
    assert refusal(content) == "the file has 134,217,856 numbers, and may have 134,217,728; split it"


def test_two_columns_of_one_name_are_refused() -> None:
    content = io.BytesIO()
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], ["x", "x"]), content)
    assert refusal(content.getvalue()) == 'columns 1 and 2 are both called "x"; give each column its own name'


def varint(number: int) -> bytes:
    return bytes([number & 0x7F | 0x80]) + varint(number >> 7) if number > 0x7F else bytes([number])


def test_a_page_that_unpacks_to_more_than_a_file_says_is_refused_unread() -> None:
    content = written_parquet({"x": np.zeros(2**16)}, compression="zstd", use_dictionary=False, data_page_size=2**24)
    begin, size = b"PAR1\x15\x00\x15", 3  # a page of data, of so many bytes, which is a number of three bytes here
    assert content.startswith(begin)
    lying = begin + varint(2 * (2**31 - 1)) + content[len(begin) + size :]  # the footer is found from the end
    with bounded(2**26):
        assert refusal(lying) == (
            'a page of column "x" has 2,147,483,647 bytes when unpacked, and may have 268,435,456; '
            "write the file with smaller pages"
        )
        assert refusal(lying, PARQUET, "x").startswith('a page of column "x" has 2,147,483,647 bytes')


def test_more_pages_than_are_read_in_a_second_are_refused() -> None:
    pages = {"data_page_size": 1, "write_batch_size": 1, "use_dictionary": False, "write_statistics": False}
    content = written_parquet({"x": np.arange(100_001)}, **pages)
    with bounded(seconds=30):  # about 1 s of a usual processor
        assert refusal(content) == "the file has more than 100,000 pages; write it with larger pages"


PEAKS = """
import sys
import pyarrow as pa, pyarrow.parquet as pq
from gradyard.jobs.files.read import facts_of
with open(sys.argv[1], "rb") as content:
    assert facts_of(content).rows == 2**21
    ours = pa.default_memory_pool().max_memory()
    pq.ParquetFile(content, pre_buffer=False).read(use_threads=False)  # threads of Arrow may abort the exit
print(ours, pa.default_memory_pool().max_memory())
"""


def test_facts_take_the_memory_of_some_pages_and_not_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    path.write_bytes(written_parquet({"x": np.arange(2.0**21), "y": np.arange(2.0**21)}, compression="none"))
    # A process of its own, in which Arrow has taken no memory before.
    told = subprocess.run([sys.executable, "-c", PEAKS, str(path)], check=True, capture_output=True, text=True)
    ours, whole = map(int, told.stdout.split())
    assert ours < 2**23
    assert whole > 2**25  # it is counted


def test_a_large_column_without_numbers_is_not_unpacked_for_its_first_rows() -> None:
    content = written_parquet({"s": ["x" * 2**23] * 4, "y": [1.0] * 4}, use_dictionary=False)
    assert facts(content).preview == ((None, 1.0),) * 4


def test_without_pyarrow_a_file_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    sentence = "this service reads Parquet only with the extra: pip install 'gradyard[arrow]'; or send the file as CSV"
    assert refusal(TABLE) == refusal(TABLE, PARQUET, "y") == sentence


def test_pyarrow_is_loaded_for_a_parquet_file_alone() -> None:
    code = (
        "import io, sys; from gradyard.jobs.files.read import facts_of; facts_of(io.BytesIO(b'x,y\\n1,2\\n')); "
        "assert not {'pyarrow', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class _Unavailable(io.BytesIO):
    """A content whose place answers no more, after so many reads."""

    def __init__(self, content: bytes, error: Exception, reads: int) -> None:
        super().__init__(content)
        self._error, self._reads = error, reads

    def read(self, size: int | None = -1) -> bytes:
        self._reads -= 1
        if self._reads < 0:
            raise self._error
        return super().read(size)


@pytest.mark.parametrize("error", [ContentUnavailable("the bucket does not answer"), OSError(5, "the disk is broken")])
@pytest.mark.parametrize("reads", [0, 1, 2, 3, 4])
def test_a_place_that_answers_no_more_is_no_mistake_of_the_file(error: Exception, reads: int) -> None:
    with pytest.raises(type(error)):
        facts_of(_Unavailable(TABLE, error, reads))


NUMERIC = [pa.int8(), pa.int32(), pa.int64(), pa.uint16(), pa.uint64(), pa.float32(), pa.float64(), pa.bool_()]


@given(st.data())
def test_numbers_that_were_written_are_read_with_the_same_bits(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(NUMERIC))
    if pa.types.is_floating(kind):
        value: st.SearchStrategy[Any] = st.floats(width=kind.bit_width)
    elif pa.types.is_boolean(kind):
        value = st.booleans()
    else:
        least = 0 if pa.types.is_unsigned_integer(kind) else -(2 ** (kind.bit_width - 1))
        value = st.integers(least, least + 2**kind.bit_width - 1)
    values = data.draw(st.lists(st.none() | value, min_size=1, max_size=20))
    how = data.draw(st.fixed_dictionaries({
        "compression": st.sampled_from(["none", "snappy", "zstd", "gzip"]), "use_dictionary": st.booleans(),
        "row_group_size": st.integers(1, 20), "data_page_version": st.sampled_from(["1.0", "2.0"]),
    }))  # fmt: skip
    content = written_parquet({"x": pa.array(values, kind)}, **how)
    wanted = np.array([np.nan if value is None else float(value) for value in values])
    assert same_bits(numbers(content, "x")["x"], wanted)
    assert facts(content).columns[0].missing == np.sum(~np.isfinite(wanted))


@given(st.lists(st.decimals(-(10**9), 10**9, places=7), min_size=1, max_size=20))
def test_a_decimal_becomes_the_nearest_float(values: list[Decimal]) -> None:
    content = written_parquet({"x": pa.array(values, pa.decimal128(38, 7))})
    assert same_bits(numbers(content, "x")["x"], np.array([float(value) for value in values]))
