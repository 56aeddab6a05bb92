"""Opens a Parquet file by pyarrow, without trust: what it says about itself is bounded before it is believed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import SEEK_END
from typing import TYPE_CHECKING, BinaryIO

from gradyard.jobs.errors import FileInvalid, FormatUnsupported, GradyardError
from gradyard.jobs.files.columns import check_names
from gradyard.jobs.files.shown import shown

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

MAGIC = b"PAR1"
TAIL_BYTES = 8
FOOTER_BYTES = 2**24  # Arrow makes objects of many times the size of it
UNPACKED_BYTES = 2**30
MOST_VALUES = 2**27  # a GiB as numbers; a run of equal values takes a few bytes in the file and any time to read


@contextmanager
def opened(content: BinaryIO) -> Iterator[ParquetFile]:
    """A file whose footer can be read and whose sizes are within bounds, for as long as the block lasts.

    Raises FileInvalid where it is not, where Arrow fails within the block, and where this host lacks pyarrow.
    """
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise FormatUnsupported(
            "this service reads Parquet only with the extra: pip install 'gradyard[arrow]'; or send the file as CSV"
        ) from None
    _check_footer(content)
    try:
        # Without pre_buffer, and with a buffer, a few pages are read at a time, and by no thread of Arrow's: one that
        # reads a file of Python aborts the process when that ends meanwhile.
        file = ParquetFile(content, pre_buffer=False, buffer_size=2**16)
        _check_size(file)
        yield file
    except GradyardError:
        raise
    except OSError as error:
        if error.errno is not None:  # of the disk; Arrow's own have no number
            raise
        raise damaged(error) from error
    except Exception as error:  # Arrow's errors have a dozen classes, and MemoryError is one of them
        raise damaged(error) from error


def damaged(error: Exception | str) -> FileInvalid:
    """That the file cannot be read, and why."""
    reason = str(error).partition("\n")[0]
    return FileInvalid(f"the file begins like Parquet and cannot be read ({shown(reason)}); write it again")


def _check_footer(content: BinaryIO) -> None:
    size = content.seek(0, SEEK_END)
    content.seek(max(size - TAIL_BYTES, 0))
    tail = content.read(TAIL_BYTES)
    content.seek(0)
    if tail[4:] != MAGIC or size < len(MAGIC) + TAIL_BYTES:
        raise damaged("its end is missing")
    if (footer := int.from_bytes(tail[:4], "little")) > FOOTER_BYTES:
        raise FileInvalid(f"the footer has {footer:,} bytes, and may have {FOOTER_BYTES:,}; use fewer row groups")


def _check_size(file: ParquetFile) -> None:
    metadata = file.metadata
    check_names(file.schema_arrow.names)
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    if (unpacked := sum(group.total_byte_size for group in groups)) > UNPACKED_BYTES:
        raise FileInvalid(f"the file has {unpacked:,} bytes when unpacked, and may have {UNPACKED_BYTES:,}; split it")
    values = metadata.num_rows * sum(is_numeric(field.type) for field in file.schema_arrow)
    if values > MOST_VALUES:
        raise FileInvalid(f"the file has {values:,} numbers, and may have {MOST_VALUES:,}; split it")
    if any(group.num_rows < 0 for group in groups) or sum(group.num_rows for group in groups) != metadata.num_rows:
        raise damaged("its row groups have another number of rows")


def is_numeric(kind: pa.DataType) -> bool:
    """Whether values of the type are numbers: integers, floats, booleans and decimals, not within another type."""
    from pyarrow import types

    return any(check(kind) for check in (types.is_boolean, types.is_integer, types.is_floating, types.is_decimal))
