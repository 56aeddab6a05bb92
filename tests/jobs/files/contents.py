"""Contents of files as bytes, and what the readers say of them."""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from gradyard.jobs.errors import FileInvalid
from gradyard.jobs.files.facts import FileFacts, FileFormat
from gradyard.jobs.files.read import facts_of, numbers_of

MANY = 10**6


def facts(content: bytes) -> FileFacts:
    return facts_of(io.BytesIO(content))


def numbers(content: bytes, *names: str, most_rows: int = MANY) -> dict[str, NDArray[np.float64]]:
    return numbers_of(io.BytesIO(content), facts(content).format, names, most_rows)


def refusal(content: bytes, format: FileFormat | None = None, *names: str, most_rows: int = MANY) -> str:
    """The sentence by which a file is refused, or where a format is given by which its columns are."""
    stream = io.BytesIO(content)
    with pytest.raises(FileInvalid) as refused:
        facts_of(stream) if format is None else numbers_of(stream, format, names, most_rows)
    return str(refused.value)


def written_csv(header: Sequence[str], rows: Iterable[Sequence[Any]], **dialect: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, **dialect).writerows([header, *rows])
    return text.getvalue().encode()


def written_npy(array: NDArray[Any], **how: Any) -> bytes:
    content = io.BytesIO()
    np.save(content, array, **how)
    return content.getvalue()


def npy_with_header(descr: object, shape: object, data: bytes = b"", fortran_order: object = False) -> bytes:
    return npy_with_text(repr({"descr": descr, "fortran_order": fortran_order, "shape": shape}).encode()) + data


def npy_with_text(header: bytes, version: int = 1) -> bytes:
    return b"\x93NUMPY" + bytes([version, 0]) + len(header).to_bytes(2 if version == 1 else 4, "little") + header


def written_npz(**arrays: Any) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def written_zip(members: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return content.getvalue()


def written_parquet(columns: Mapping[str, Any], **how: Any) -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), content, **how)
    return content.getvalue()


def same_bits(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether the arrays are equal bit for bit, where any NaN is as good as another."""
    ones, others = (np.where(np.isnan(each), np.nan, each).view(np.int64) for each in (one, other))
    return bool(np.array_equal(ones, others)) and one.flags.c_contiguous and one.dtype == np.float64
