"""Reads files that people send in as data: what they are, and their numbers. Nothing in a file is ever executed."""

from collections.abc import Callable, Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from gradyard.jobs.errors import FileInvalid
from gradyard.jobs.files import npy_header, parquet_opening
from gradyard.jobs.files.columns import check_known
from gradyard.jobs.files.csv_tables import csv_facts, csv_numbers
from gradyard.jobs.files.facts import FileFacts, FileFormat
from gradyard.jobs.files.numpy_files import npy_facts, npy_numbers, npz_facts, npz_numbers
from gradyard.jobs.files.parquet_files import parquet_facts, parquet_numbers

ZIP_MAGIC = b"PK\x03\x04"
BEGIN_BYTES = 8
NAME_ENDS = frozenset((b",", b";", b"\t", b"\r", b"\n"))  # after `PAR1`, which is then the name of a column
NUMBERS: dict[FileFormat, Callable[[BinaryIO, Sequence[str], int], dict[str, NDArray[np.float64]]]] = {
    FileFormat.CSV: csv_numbers,
    FileFormat.NPY: npy_numbers,
    FileFormat.NPZ: npz_numbers,
    FileFormat.PARQUET: parquet_numbers,
}


def facts_of(content: BinaryIO) -> FileFacts:
    """What a file is and has: format, rows, columns, and the first five rows.

    `content`: a file that can be sought and, when read, gives as many bytes as it has; it stays open, and where it
    stands afterwards is not told. It may be of any size, and is read in blocks. The content alone tells the format;
    what is no table of a known one is BYTES, without rows and columns. Raises FileInvalid, with one sentence for
    people, where the file is empty, begins like a known format and cannot be read, or could only be read by pickle; and
    for Parquet where this host lacks pyarrow.
    """
    content.seek(0)
    begin = content.read(BEGIN_BYTES)
    content.seek(0)
    if not begin:
        raise FileInvalid("the file is empty; send a file that has content")
    if begin.startswith(npy_header.MAGIC):
        return npy_facts(content)
    if begin.startswith(parquet_opening.MAGIC) and begin[4:5] not in NAME_ENDS:
        return parquet_facts(content)
    facts = npz_facts(content) if begin.startswith(ZIP_MAGIC) else csv_facts(content)
    return facts or FileFacts(FileFormat.BYTES, 0, (), ())


def numbers_of(
    content: BinaryIO, format: FileFormat, names: Sequence[str], most_rows: int
) -> dict[str, NDArray[np.float64]]:
    """Columns of a file by name: contiguous arrays of float64, each of shape (rows,), NaN for missing values.

    `content`: a file that can be sought and, when read, gives as many bytes as it has; it stays open, and where it
    stands afterwards is not told. `format`: as `facts_of` told it. Values are those of the file: integers over 2**53
    are rounded, infinities stay. Raises FileInvalid, with one sentence for people, where a name is no column, a column
    has no numbers, there are more than `most_rows` rows (before memory is taken for them), the format has no columns,
    or the file cannot be read.
    """
    if format not in NUMBERS:
        check_known(names, (), "it is read as bytes, since it is no CSV in UTF-8, no NPY, NPZ or Parquet")
        return {}
    return NUMBERS[format](content, names, most_rows)
