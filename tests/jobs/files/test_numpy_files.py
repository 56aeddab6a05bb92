"""NPY and NPZ files: what their columns are and hold, and by which sentence an array is refused."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.lib.format import write_array_header_2_0
from numpy.typing import NDArray

from gradyard.jobs.files.facts import Column, FileFacts, FileFormat
from tests.jobs.bounded import bounded
from tests.jobs.files.contents import (
    facts,
    npy_with_header,
    npy_with_text,
    numbers,
    refusal,
    same_bits,
    written_npy,
    written_npz,
)

NPY, NPZ = FileFormat.NPY, FileFormat.NPZ
NOTHING = FileFacts(NPY, 0, (), ())
TABLE = np.array([(1, "a", 0.5), (2, "b", np.nan)], [("n", "i4"), ("who", "U3"), ("y", "f8")])


def test_an_array_of_one_axis_is_one_column() -> None:
    content = written_npy(np.arange(7) / 2)
    assert facts(content) == FileFacts(
        NPY, 7, (Column("0", "float64", True),), ((0.0,), (0.5,), (1.0,), (1.5,), (2.0,))
    )
    assert same_bits(numbers(content, "0")["0"], np.arange(7) / 2)


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_of_two_axes_has_a_column_for_each_place_in_a_row(order: Any) -> None:
    array = np.array([[1, np.nan, 3], [np.inf, 5, 6]], np.float32, order=order)
    content = written_npy(array)
    assert (b"'fortran_order': True" in content) == (order == "F")
    columns = (Column("0", "float32", True, 1), Column("1", "float32", True, 1), Column("2", "float32", True))
    assert facts(content) == FileFacts(NPY, 2, columns, ((1.0, None, 3.0), (None, 5.0, 6.0)))
    found = numbers(content, "2", "0")
    assert list(found) == ["2", "0"]
    assert same_bits(found["2"], np.array([3.0, 6]))
    assert same_bits(found["0"], np.array([1, np.inf]))


def test_named_fields_are_columns_and_text_among_them_has_no_numbers() -> None:
    columns = (Column("n", "int32", True), Column("who", "str96", False), Column("y", "float64", True, 1))
    for content in (written_npy(TABLE), written_npy(TABLE.astype(np.dtype(TABLE.dtype.descr, align=True)))):
        assert facts(content) == FileFacts(NPY, 2, columns, ((1, "a", 0.5), (2, "b", None)))
        assert numbers(content, "n")["n"].tolist() == [1, 2]
        assert refusal(content, NPY, "who") == 'the column "who" has no numbers but str96; name a column of numbers'


def test_columns_of_npz_are_called_like_its_members() -> None:
    stored = io.BytesIO()
    np.savez(stored, x=np.arange(2), m=np.ones((2, 2)), t=TABLE)
    for content in (stored.getvalue(), written_npz(x=np.arange(2), m=np.ones((2, 2)), t=TABLE)):
        found = facts(content)
        assert [column.name for column in found.columns] == ["x", "m.0", "m.1", "t.n", "t.who", "t.y"]
        assert (found.format, found.rows) == (NPZ, 2)
        assert found.preview == ((0, 1.0, 1.0, 1, "a", 0.5), (1, 1.0, 1.0, 2, "b", None))
        read = numbers(content, "t.n", "m.1", "x")
        assert {name: column.tolist() for name, column in read.items()} == {"t.n": [1, 2], "m.1": [1, 1], "x": [0, 1]}


@pytest.mark.parametrize(
    ("array", "kind", "is_numeric", "first"),
    [
        (np.array([True, False]), "bool", True, True),
        (np.array([2**64 - 1], np.uint64), "uint64", True, 2**64 - 1),
        (np.array([-1], ">i2"), "int16", True, -1),
        (np.array([1.5], np.float16), "float16", True, 1.5),
        (np.array([1.5], np.longdouble), np.dtype(np.longdouble).name, True, 1.5),
        (np.array([1 + 2j]), "complex128", False, "(1+2j)"),
        (np.array(["x" * 100]), "str3200", False, "x" * 59 + "…"),
        (np.array(["\ud800\x07"]), "str64", False, r"\ud800\u0007"),
        (np.array([b"a\xff"]), "bytes16", False, r"a\xff"),
        (np.array(["2026-01-31"], "M8[D]"), "datetime64[D]", False, "2026-01-31"),
        (np.array(["NaT"], "m8[ns]"), "timedelta64[ns]", False, None),
        (np.array([0x110000], "u4").view("U1"), "str32", False, None),
        (np.array([b"ab"], "V2"), "void16", False, r"b'\x61\x62'"),
    ],
)  # fmt: skip
def test_booleans_integers_and_floats_are_numbers_and_nothing_else_is(
    array: NDArray[Any], kind: str, is_numeric: bool, first: object
) -> None:
    content = written_npy(array)
    found = facts(content)
    assert found.columns == (Column("0", kind, is_numeric),)
    assert found.preview[0][0] == first
    if is_numeric:
        assert same_bits(numbers(content, "0")["0"], array.astype(np.float64))
    else:
        assert "has no numbers" in refusal(content, NPY, "0")


def test_fields_that_are_arrays_or_have_fields_are_no_numbers() -> None:
    array = np.zeros(1, [("v", "f8", 2), ("s", [("a", "f8")])])
    assert [column.is_numeric for column in facts(written_npy(array)).columns] == [False, False]
    assert facts(written_npy(array)).preview == (("[0. 0.]", "(0.0,)"),)


@pytest.mark.parametrize("array", [np.array(5.0), np.zeros((2, 3, 4)), np.zeros((3, 0)), np.zeros((2, 2), "f8,i4")])
def test_arrays_of_other_shapes_are_read_and_have_no_columns(array: NDArray[Any]) -> None:
    content = written_npy(array)
    assert facts(content) == NOTHING
    assert refusal(content, NPY, "0") == "the file has no columns: only arrays of one or two axes have some"
    assert [column.name for column in facts(written_npz(a=array, b=[1, 2])).columns] == ["b"]


def test_an_array_without_rows_has_columns() -> None:
    assert facts(written_npy(np.empty((0, 2)))).columns == (Column("0", "float64", True), Column("1", "float64", True))
    assert numbers(written_npy(np.empty((0, 2))), "1")["1"].shape == (0,)


def test_every_version_of_the_header_is_read() -> None:
    content = io.BytesIO()
    write_array_header_2_0(content, {"descr": "<f8", "fortran_order": False, "shape": (1,)})
    assert facts(content.getvalue() + bytes(8)).rows == 1
    with pytest.warns(UserWarning, match="format 3"):
        greek = written_npy(np.zeros(2, [("α", "f8")]))
    assert greek[6] == 3
    assert facts(greek).columns[0].name == "α"


class _Harmful:
    """What does harm where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("it was unpickled",))


def test_python_objects_are_refused_and_never_unpickled() -> None:
    array = np.array([_Harmful()], object)
    sentence = (
        "holds Python objects, which only pickle can read, and pickle runs what it reads; "
        "store numbers, for example array.astype(float)"
    )
    assert refusal(written_npy(array)) == f"the file {sentence}"
    assert refusal(written_npy(array), NPY, "0") == f"the file {sentence}"
    assert refusal(written_npz(x=[1.0], y=array)) == f'the member "y.npy" {sentence}'
    assert refusal(written_npy(np.zeros(1, [("a", object)]))) == f"the file {sentence}"


UNREADABLE = "the file is no array that can be read; write it again with numpy.save or numpy.savez"


@pytest.mark.parametrize(
    "content",
    [
        npy_with_text(b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", 4) + bytes(8),
        npy_with_text(b"{'descr': '<f8', 'shape': (1,)}") + bytes(8),
        npy_with_text(b"{'descr': 'nonsense', 'fortran_order': False, 'shape': (1,)}") + bytes(8),
        npy_with_text(b"__import__('os').abort()"),
        npy_with_text(b"(" * 9000),
        npy_with_text(b"-" * 9000 + b"1"),
        npy_with_text(b"\xff\0"),
        npy_with_text(b"{'descr': '\xff', 'fortran_order': False, 'shape': (1,)}", 3),
        npy_with_header("<f8", (-1,)),
        npy_with_header("<f8", 1, bytes(8)),
        npy_with_header("<f8", (10**4000, 10**4000)),
        npy_with_header("<f8", (2**62, 2**62)),
        npy_with_header("<f8", (True,), bytes(8)),
        npy_with_header("<f8", (1.0,), bytes(8)),
        npy_with_header("<f8", (1,), bytes(8), fortran_order=0),
        npy_with_header("<f8", (1,) * 65, bytes(8)),
        npy_with_header("8" * 30 + "f8", (1,)),
        npy_with_header([("a", "f8"), ("a", "f8")], (1,), bytes(16)),
    ],
)
def test_a_header_that_says_nothing_is_refused(content: bytes) -> None:
    assert refusal(content) == UNREADABLE


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x93NUMPY\x01", "the file ends too early; send it again, whole"),
        (written_npy(np.ones(3))[:100], "the file ends too early; send it again, whole"),
        (
            written_npy(np.ones(3))[:-1],
            "the shape (3,) of the file takes 24 bytes, and 23 are there; send it again, whole",
        ),
        (written_npy(np.ones(3)) * 2, "the shape (3,) of the file takes 24 bytes, and 176 are there; send it again"),
        (
            npy_with_header("<f8", (10**15, 3)),
            "the shape (1000000000000000, 3) of the file takes 24,000,000,000,000,000",
        ),
        (npy_with_header("|V0", (10**15,)), "the values of the file take no bytes; store values of another type"),
        (
            npy_with_text(b" " * 10_001),
            "the header of the file has 10,001 bytes, and may have 10,000; use fewer fields",
        ),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "the header of the file has 4,294,967,295 bytes, and may have 10,000"),
        (written_npy(np.zeros((1, 1001), "i1")), "the file has 1,001 columns, and may have 1,000; leave out some"),
        (written_npy(np.zeros(1, "S5000000")), "a row of the file takes 5,000,000 bytes, and may take 4,194,304"),
        (written_npy(np.zeros(1, [("a\n", "f8")])), "the name of column 1 has characters that cannot be seen"),
        (written_npy(np.zeros(1, [("a" * 201, "f8")])), "the name of column 1 has 201 characters; shorten it to 200"),
        (written_npz(x=[1, 2], y=[1, 2], z=[1, 2, 3]), '"x" has 2 rows and "z" has 3; columns of one file have the'),
        (written_npz(m=np.ones((2, 2)), z=[1]), '"m.0" has 2 rows and "z" has 1; columns of one file have the same'),
        (written_npz(**{"m.0": [1]}, m=np.ones((1, 1))), 'columns 1 and 2 are both called "m.0"; give each column'),
        (written_npz(a=np.zeros((1, 600)), b=np.zeros((1, 600))), "the file has 1,200 columns, and may have 1,000"),
    ],
)
def test_an_array_that_cannot_be_read_right_is_refused(content: bytes, sentence: str) -> None:
    assert refusal(content).startswith(sentence)
    assert refusal(content, NPZ if content.startswith(b"PK") else NPY, "x").startswith(sentence)


def test_a_header_that_claims_more_than_there_is_takes_no_memory() -> None:
    content = npy_with_header("<f8", (2**27,))
    with pytest.raises(MemoryError), bounded(2**26):  # what numpy alone does: the bound is one that can be passed
        np.load(io.BytesIO(content))
    with bounded(2**20):
        assert "takes 1,073,741,824 bytes, and 0 are there" in refusal(content)
        assert "takes 1,073,741,824 bytes, and 0 are there" in refusal(content, NPY, "0", most_rows=2**40)


def test_facts_take_the_memory_of_a_block_and_numbers_that_of_the_columns() -> None:
    content = written_npy(np.ones((2**16, 128)))  # 64 MiB
    stream = io.BytesIO(content)
    with bounded(2**25):
        assert facts(content).rows == 2**16
        assert numbers(content, "7")["7"].sum() == 2**16
    assert stream


def test_more_rows_than_may_be_read_and_unknown_names_are_refused() -> None:
    for content, form, name in ((written_npy(np.ones(3)), NPY, "0"), (written_npz(size=np.ones(3)), NPZ, "size")):
        assert refusal(content, form, name, most_rows=2) == (
            "the file has 3 rows, and 2 may be read; send a file with fewer rows"
        )
        assert numbers(content, name, most_rows=3)[name].sum() == 3
        assert refusal(content, form, "width").startswith(f'the file has no column "width"; it has "{name}"')
    assert refusal(written_npz(size=[1.0]), NPZ, "sizes") == 'the file has no column "sizes"; did you mean "size"?'


def test_integers_over_two_to_the_53_are_rounded_and_larger_floats_are_infinite() -> None:
    assert numbers(written_npy(np.array([2**53 + 1])), "0")["0"].tolist() == [2.0**53]
    assert numbers(written_npy(np.array([np.finfo(np.longdouble).max])), "0")["0"].tolist() == [np.inf]


NUMERIC = st.one_of(
    arrays.boolean_dtypes(), arrays.integer_dtypes(), arrays.unsigned_integer_dtypes(), arrays.floating_dtypes()
)


@given(arrays.arrays(NUMERIC, arrays.array_shapes(min_dims=2, max_dims=2, max_side=6)), st.sampled_from("CF"))
def test_numbers_that_were_saved_are_read_with_the_same_bits(array: NDArray[Any], order: Any) -> None:
    array = np.array(array, order=order)
    names = [str(place) for place in range(array.shape[1])]
    wanted = array.astype(np.float64)
    for content, named in ((written_npy(array), names), (written_npz(m=array), [f"m.{name}" for name in names])):
        read, found = numbers(content, *named), facts(content)
        assert (found.rows, [column.name for column in found.columns]) == (len(array), named)
        for place, column in enumerate(found.columns):
            assert same_bits(read[column.name], wanted[:, place])
            assert column.missing == np.sum(~np.isfinite(array[:, place]))
