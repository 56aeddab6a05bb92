"""What is known of a file: the form of its content, and its columns."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FileFormat(StrEnum):
    """The form of a file's content, told by the content itself."""

    CSV = "csv"
    NPY = "npy"
    NPZ = "npz"
    PARQUET = "parquet"
    BYTES = "bytes"  # none of the others: no columns


@dataclass(frozen=True)
class Column:
    """A column: its name, its type in the words of its format, and whether jobs can be trained on its numbers.

    `missing`: how many of its values are no finite numbers; 0 for a column that holds no numbers.
    """

    name: str
    type: str
    is_numeric: bool
    missing: int = 0


@dataclass(frozen=True)
class FileFacts:
    """The form of a file, how many rows it has (0 where it has no columns), its columns, and its first rows.

    `preview`: the first rows, at most five, as values of JSON in the order of `columns`; None: no finite number.
    """

    format: FileFormat
    rows: int
    columns: tuple[Column, ...]
    preview: tuple[tuple[Any, ...], ...]
