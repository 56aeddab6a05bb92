"""The files of one project, for submissions: which columns they have, and what reads them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import Row

from gradyard.jobs.errors import FieldProblem, NotFound, SpecInvalid
from gradyard.jobs.specs.file_data import FileData
from gradyard.jobs.validation.suggestions import did_you_mean
from gradyard.store.files.reading import FileReader


class ProjectFiles:
    """The files of a project. Each is looked up once: make a new one for each request."""

    def __init__(self, reader: FileReader, project_id: int) -> None:
        self._reader, self._project_id = reader, project_id
        self._known: dict[str, Row[Any]] = {}
        self._checked: dict[tuple[str, str, str], FileData] = {}

    def with_values(self, dataset: FileData) -> FileData:
        """The columns with their number of rows, and what reads their values.

        Raises SpecInvalid where the project has no such file, the file no such column, or the column other values than
        finite numbers.
        """
        key = dataset.file, dataset.x, dataset.y
        if key not in self._checked:
            file = self._file(dataset.file)
            problems = [*_problems(file, "x", dataset.x), *_problems(file, "y", dataset.y)]
            if problems:
                raise SpecInvalid(problems)
            read = partial(self._reader.x_and_y, file, dataset.x, dataset.y)
            self._checked[key] = dataset.with_values(file.rows, read)
        return self._checked[key]

    def _file(self, sha256: str) -> Row[Any]:
        if sha256 not in self._known:
            try:
                self._known[sha256] = self._reader.by_id(self._project_id, sha256)
            except NotFound:
                message = "is no file of this project; upload it first: `gradyard files upload FILE`"
                raise SpecInvalid([FieldProblem("/dataset/file", message)]) from None
        return self._known[sha256]


def _problems(file: Row[Any], field: str, name: str) -> list[FieldProblem]:
    columns: Mapping[str, Mapping[str, Any]] = {column["name"]: column for column in file.columns}
    column = columns.get(name)
    if not columns:
        message = "the file has no columns: it is neither CSV nor NPY, NPZ or Parquet"
        return [FieldProblem("/dataset/file", message)] if field == "x" else []
    if column is None:
        message = f"is no column of the file{did_you_mean(name, list(columns))}"
    elif not column["is_numeric"]:
        message = f"is a column of {column['type']}, not of numbers"
    elif column["missing"]:
        values = "1 value" if column["missing"] == 1 else f"{column['missing']:,} values"
        message = f"has {values} of {file.rows:,} missing or not finite; leave these rows out of the file"
    else:
        return []
    return [FieldProblem(f"/dataset/{field}", f"{name} {message}")]
