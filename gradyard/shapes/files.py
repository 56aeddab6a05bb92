"""Files that people sent in as data."""

from typing import Annotated, Any

from pydantic import AwareDatetime, Field, WithJsonSchema

from gradyard.jobs.files.facts import FileFormat
from gradyard.shapes.base import Answer

# Text, so that a newer service may have more of them.
FormatName = Annotated[str, WithJsonSchema({"type": "string", "enum": list(FileFormat)})]


class FileColumn(Answer):
    """A column of a file."""

    name: str
    type: str = Field(description="in the words of its format, such as `number`, `float32`, `text`")
    is_numeric: bool = Field(description="whether jobs can be trained on its numbers")
    missing: int = Field(default=0, description="how many of its values are no finite numbers")


class File(Answer):
    """A file of the project."""

    id: str = Field(description="the SHA-256 of its content")
    name: str | None
    bytes: int
    format: FormatName
    rows: int = Field(description="0 where it has no columns")
    columns: tuple[FileColumn, ...]
    preview: tuple[tuple[Any, ...], ...] = Field(default=(), description="its first rows; null: no finite number")
    jobs: int = Field(description="how many jobs are trained on it; while there is one it cannot be deleted")
    uploaded_at: AwareDatetime = Field(description="for the last time; unused files are deleted some days later")
    uploaded_by: str

    def dataset(self, x: str, y: str) -> dict[str, str]:
        """Two of its columns, by their names, as the data of a job: the `dataset` of its spec."""
        return {"kind": "file", "file": self.id, "x": x, "y": y}


class FileList(Answer):
    """A page of the files of the project, the last uploaded first."""

    files: tuple[File, ...]
    next_cursor: str | None = None
