"""What a zip file may do to its reader: sizes and names that lie, bombs, and members that are no arrays."""

import io
import struct
import zipfile

import numpy as np
import pytest

from gradyard.jobs.files.facts import FileFacts, FileFormat
from gradyard.jobs.files.read import numbers_of
from tests.jobs.bounded import bounded
from tests.jobs.files.contents import facts, npy_with_header, numbers, refusal, written_npy, written_npz, written_zip

NPZ = FileFormat.NPZ
BYTES = FileFacts(FileFormat.BYTES, 0, (), ())
ONES = written_npy(np.ones(3))
DIRECTORY, END = b"PK\x01\x02", b"PK\x05\x06"
FLAGS, UNPACKED, NAME = 8, 24, 46  # where they stand in an entry of the directory


def patched(content: bytes, place: int, value: bytes) -> bytes:
    """The content with other bytes in the first entry of its directory."""
    at = content.index(DIRECTORY) + place
    return content[:at] + value + content[at + len(value) :]


def test_a_zip_file_without_arrays_is_bytes() -> None:
    for content in (written_zip([("a.txt", b"x,y\n1,2\n")]), written_zip([]), written_zip([("data.pkl", b"...")])):
        assert facts(content) == BYTES
    assert facts(written_zip([("a.txt", b"a")])[:-5]) == BYTES
    assert refusal(written_zip([("a.txt", b"a")]), NPZ, "a").startswith("the file has no columns")


def test_other_members_beside_arrays_are_left_alone() -> None:
    assert [column.name for column in facts(written_zip([("a.txt", b"a"), ("x.npy", ONES)])).columns] == ["x"]


def test_a_file_that_is_cut_off_is_refused() -> None:
    content = written_npz(x=np.ones(3))
    for end in (40, 100, len(content) - 1):
        assert refusal(content[:end]).startswith("the file begins like NPZ and its list of members cannot be read (")
        assert refusal(content[:end], NPZ, "x").startswith("the file begins like NPZ and its list of members cannot")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (patched(written_zip([("x.npy", ONES)]), FLAGS, b"\x01\x00"), 'the member "x.npy" is encrypted; write'),
        (written_zip([("x.npy", ONES)], zipfile.ZIP_BZIP2), 'the member "x.npy" is packed by another method than'),
        (written_zip([("x.npy", ONES)], zipfile.ZIP_LZMA), 'the member "x.npy" is packed by another method than'),
        (written_zip([("/x.npy", ONES)]), 'the member "/x.npy" has a path that leads elsewhere; write the file with'),
        (written_zip([("a/../../x.npy", ONES)]), 'the member "a/../../x.npy" has a path that leads elsewhere; write'),
        (written_zip([("a\\x.npy", ONES)]), 'the member "a\\x.npy" has a path that leads elsewhere; write'),
        (patched(written_zip([("x.npy", ONES), ("y.npy", ONES)]), NAME, b"y"), 'the member "y.npy" is there twice'),
        (written_zip([(".npy", ONES)]), "column 1 has no name; give each column a name"),
        (written_zip([("x.npy", b"text")]), 'the member "x.npy" ends too early; send it again, whole'),
        (written_zip([("x.npy", b"text and text")]), 'the member "x.npy" is no array that can be read; write it again'),
        (written_zip([("x.npy", ONES[:-1])]), 'the shape (3,) of the member "x.npy" takes 24 bytes, and 23 are there'),
        (written_zip([(f"{name}.npy", ONES) for name in range(1001)]), "the file has 1,001 members, and may have"),
    ],
)  # fmt: skip
def test_a_member_that_cannot_be_read_without_harm_is_refused(content: bytes, sentence: str) -> None:
    assert refusal(content).startswith(sentence)
    assert refusal(content, NPZ, "x").startswith(sentence)


def test_a_damaged_member_is_refused_by_its_checksum_also_where_it_has_no_columns() -> None:
    for array in (np.arange(3.0), np.arange(30_000.0), np.arange(30_000.0).reshape(2, 3, 5000)):
        content = written_zip([("x.npy", written_npy(array))], zipfile.ZIP_STORED)
        last = content.index(array.tobytes()) + array.nbytes - 1
        damaged = content[:last] + b"\x01" + content[last + 1 :]
        assert refusal(damaged) == 'the member "x.npy" is damaged; write the file again with numpy.savez, and send it'
        packed = written_npz(x=array)
        assert refusal(packed[:60] + b"\xff" * 9 + packed[69:]).startswith('the member "x.npy" is damaged')


def test_only_the_members_that_are_asked_for_are_unpacked() -> None:
    ones = written_npy(np.ones(10_000))
    content = written_zip([("x.npy", ones), ("y.npy", ones)], zipfile.ZIP_STORED)
    damaged = content[::-1].replace(np.ones(1).tobytes()[::-1], b"\x01" * 8, 1)[::-1]  # the last value of y
    assert numbers_of(io.BytesIO(damaged), NPZ, ["x"], 10_000)["x"].sum() == 10_000
    assert refusal(damaged, NPZ, "y").startswith('the member "y.npy" is damaged')


def test_members_that_unpack_to_more_than_a_gib_together_are_refused_unread() -> None:
    large = patched(written_zip([("x.npy", ONES), ("y.npy", ONES)]), UNPACKED, struct.pack("<I", 2**30))
    assert refusal(large) == (
        f"the members have {2**30 + len(ONES):,} bytes when unpacked, and may have {2**30:,}; send several files"
    )


def test_a_member_that_unpacks_to_more_than_it_says_takes_no_more_memory() -> None:
    bomb = written_zip([("x.npy", npy_with_header("<f8", (3,), bytes(2**26)))])
    lying = patched(bomb, UNPACKED, struct.pack("<I", len(ONES)))
    assert len(bomb) < 2**17
    with pytest.raises(MemoryError), bounded(2**25):  # the bound is one that can be passed
        zipfile.ZipFile(io.BytesIO(bomb)).read("x.npy")
    with bounded(2**22):
        assert refusal(lying) == 'the member "x.npy" is damaged; write the file again with numpy.savez, and send it'
        assert refusal(lying, NPZ, "x").startswith('the member "x.npy" is damaged')
        assert refusal(bomb).startswith('the shape (3,) of the member "x.npy" takes 24 bytes, and 67,108,864 are there')


def test_facts_of_a_large_member_take_the_memory_of_a_block() -> None:
    content = written_npz(x=np.zeros(2**25))  # 256 MiB; a block of 4 took 12 to 16, by what the process had left over
    with bounded(2**26):
        assert facts(content).rows == 2**25
    with pytest.raises(MemoryError), bounded(2**26):
        numbers(content, "x", most_rows=2**30)


def test_a_list_of_a_million_members_takes_no_memory() -> None:
    content = written_zip([("x.npy", ONES)])
    at, end = content.index(DIRECTORY), content.index(END)
    entries = content[at:end] * 500_000
    closing = content[end : end + 12] + struct.pack("<II", len(entries), at) + content[end + 20 :]
    with bounded(2**26):
        assert refusal(content[:at] + entries + closing).startswith("the file begins like NPZ and its list of members")
