"""Any file gives facts or one sentence, nothing else, and the numbers of its columns agree with its facts."""

import io
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gradyard.jobs.errors import FileInvalid
from gradyard.jobs.files.columns import MOST_COLUMNS, NAME_CHARACTERS
from gradyard.jobs.files.facts import FileFacts, FileFormat
from gradyard.jobs.files.read import facts_of, numbers_of
from gradyard.jobs.files.shown import SHOWN_CHARACTERS
from gradyard.jobs.visible_text import one_line
from tests.fuzzing import FUZZ
from tests.jobs.files.contents import (
    facts,
    npy_with_text,
    refusal,
    written_csv,
    written_npy,
    written_npz,
    written_parquet,
    written_zip,
)

fuzzed = hypothesis_settings(max_examples=FUZZ or 300, suppress_health_check=list(HealthCheck))

TABLE = np.array([(1, "a", 0.5), (2, "b", np.nan)], [("n", "i4"), ("who", "U3"), ("y", "f8")])
VALID = {
    "csv": written_csv(["x", "y"], [[1.5, "NA"], [2, "a"], [3, 4]]),
    "csv with quotes": written_csv(["x", "y"], [[1.5, 'a,"b"\nc'], [2, "ä"]], delimiter=";", quoting=1),
    "npy": written_npy(np.arange(6.0).reshape(3, 2)),
    "npy by columns": written_npy(np.arange(6.0).reshape(3, 2, order="F")),
    "npy with fields": written_npy(TABLE),
    "npz": written_npz(x=np.arange(3.0), m=np.ones((3, 2), np.float32)),
    "npz unpacked": written_zip([("x.npy", written_npy(np.ones(2))), ("t.npy", written_npy(TABLE))], 0),
    "parquet": written_parquet({"x": [1.5, None], "n": [1, 2], "s": ["a", "b"]}),
    "parquet unpacked": written_parquet({"x": [1.5, 2.5], "l": [[1], []]}, compression="none", use_dictionary=False),
}
FORMATS = {name: FileFormat(name.split()[0]) for name in VALID}


@pytest.mark.parametrize("name", VALID)
def test_the_content_alone_tells_the_format(name: str) -> None:
    assert facts(VALID[name]).format == FORMATS[name]


@pytest.mark.parametrize("name", VALID)
def test_a_content_is_read_from_its_begin_and_stays_open(name: str) -> None:
    stream = io.BytesIO(VALID[name])
    stream.seek(3)
    found = facts_of(stream)
    assert found == facts(VALID[name])
    names = [column.name for column in found.columns if column.is_numeric]
    assert list(numbers_of(stream, FORMATS[name], names, 9)) == names
    assert not stream.closed


def test_an_empty_file_is_refused() -> None:
    assert refusal(b"") == "the file is empty; send a file that has content"
    for form in set(FileFormat) - {FileFormat.BYTES}:
        assert refusal(b"", form, "x")


def test_bytes_have_no_columns() -> None:
    assert facts(b"\x00\x01") == FileFacts(FileFormat.BYTES, 0, (), ())
    assert refusal(b"\x00\x01", FileFormat.BYTES, "x") == (
        "the file has no columns: it is read as bytes, since it is no CSV in UTF-8, no NPY, NPZ or Parquet"
    )
    assert numbers_of(io.BytesIO(b"\x00"), FileFormat.BYTES, [], 9) == {}


def test_a_column_may_be_called_like_the_begin_of_a_parquet_file() -> None:
    assert [column.name for column in facts(b"PAR1,PAR2\n1,2\n").columns] == ["PAR1", "PAR2"]
    assert "begins like Parquet" in refusal(b"PAR1")
    assert "begins like Parquet" in refusal(b"PAR1\x15\x00,1\n1,2\n")


def test_no_names_are_no_columns_and_a_name_may_be_asked_for_twice() -> None:
    for name, content in VALID.items():
        assert numbers_of(io.BytesIO(content), FORMATS[name], [], 9) == {}
        if name.split()[0] in ("csv", "npz", "parquet"):
            assert list(numbers_of(io.BytesIO(content), FORMATS[name], ["x", "x"], 9)) == ["x"]


@pytest.mark.parametrize("name", VALID)
def test_no_place_at_which_a_file_is_cut_off_is_an_error_of_another_kind(name: str) -> None:
    for end in range(len(VALID[name])):
        check(VALID[name][:end])


@pytest.mark.parametrize(("name", "form"), list(product(VALID, FileFormat)))
def test_a_file_of_another_format_than_was_told_is_refused(name: str, form: FileFormat) -> None:
    if form != FORMATS[name]:
        assert refusal(VALID[name], form, "?")


BEGINS = [b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"PAR1", b"x,y\n1,2\n", b"x\n1\n"]
TABLE_LETTERS = '0123,;.\t\n\r"xyz-e \ufeff'
HEADER_LETTERS = "{}()[]'descrfortan_ohape<>|fiuSUVMmO0123456789,: TrueFalse"


@fuzzed
@given(
    st.one_of(
        st.binary(),
        st.text().map(str.encode),
        st.builds(bytes.__add__, st.sampled_from(BEGINS), st.binary()),
        st.text(TABLE_LETTERS, max_size=60).map(str.encode),
        st.text(HEADER_LETTERS, max_size=80).map(str.encode).map(npy_with_text),
    )
)
def test_any_bytes_give_facts_or_a_sentence(content: bytes) -> None:
    check(content)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid file with some of its bytes changed, cut out, doubled or put in."""
    content = bytearray(draw(st.sampled_from(sorted(VALID.values()))))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(content)))
        end = min(begin + draw(st.integers(0, 12)), len(content))
        piece = bytes(content[begin:end])
        content[begin:end] = draw(
            st.one_of(st.just(piece * 2), st.binary(max_size=12), st.binary(min_size=1, max_size=1))
        )
    return bytes(content)


@fuzzed
@given(mutated(), st.sampled_from(FileFormat))
def test_any_change_of_a_valid_file_gives_facts_or_a_sentence(content: bytes, form: FileFormat) -> None:
    check(content)
    try:
        numbers_of(io.BytesIO(content), form, ["x", "0", "m.0"], 1000)
    except FileInvalid as refused:
        check_sentence(refused)


@st.composite
def with_changed_header(draw: st.DrawFn) -> bytes:
    """An NPY file whose header has words of others in it."""
    words = [
        "'descr'",
        "'shape'",
        "'fortran_order'",
        ":",
        ",",
        "(",
        ")",
        "{",
        "}",
        "'<f8'",
        "'|O'",
        "'V0'",
        "'S9'",
        "'U1'",
    ]
    words += [
        "True",
        "False",
        "None",
        "3",
        "-1",
        "10**9",
        "9" * 30,
        "2",
        "[('a','f8')]",
        "'M8[ns]'",
        "'f8,f8'",
        "1.0",
        " ",
    ]
    parts = [
        "{",
        "'descr'",
        ":",
        "'<f8'",
        ",",
        "'fortran_order'",
        ":",
        "False",
        ",",
        "'shape'",
        ":",
        "(",
        "3",
        ",",
        ")",
        "}",
    ]
    for _ in range(draw(st.integers(0, 3))):
        parts[draw(st.integers(0, len(parts) - 1))] = draw(st.sampled_from(words))
    return (
        npy_with_text("".join(parts).encode(), draw(st.sampled_from([1, 2, 3])))
        + draw(st.sampled_from([24, 48, 0])) * b"\1"
    )


@fuzzed
@given(with_changed_header())
def test_any_header_of_an_array_gives_facts_or_a_sentence(content: bytes) -> None:
    check(content)


def check(content: bytes) -> None:
    """The facts keep what they promise, and the numbers agree with them; or a sentence says what is wrong."""
    try:
        found = facts(content)
    except FileInvalid as refused:
        check_sentence(refused)
        return
    assert len(found.columns) <= MOST_COLUMNS
    assert len(found.preview) == min(found.rows, 5)
    for row in found.preview:
        assert len(row) == len(found.columns)
        assert all(map(is_json, row))
    names = [column.name for column in found.columns if column.is_numeric]
    assert len(set(names)) == len(names)
    assert all(one_line(name) == name and 0 < len(name) <= NAME_CHARACTERS for name in names)
    columns = numbers_of(io.BytesIO(content), found.format, names, found.rows) if names else {}
    for column in found.columns:
        if column.is_numeric:
            assert columns[column.name].shape == (found.rows,)
            assert column.missing == np.sum(~np.isfinite(columns[column.name]))


def check_sentence(refused: FileInvalid) -> None:
    sentence = str(refused)
    assert sentence
    assert one_line(sentence) == sentence
    assert len(sentence) < 600


def is_json(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float) or len(value) <= SHOWN_CHARACTERS
