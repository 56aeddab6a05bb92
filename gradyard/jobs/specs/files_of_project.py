"""The files of a project, as a submission asks for them."""

from collections.abc import Callable
from typing import Protocol

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.specs.datasets import AnyData
from gradyard.jobs.specs.file_data import FileData


class FilesOfProject(Protocol):
    """Finds the files of one project."""

    def with_values(self, dataset: FileData) -> FileData:
        """The columns with their number of rows, and what reads their values.

        Raises SpecInvalid where the project has no such file, the file no such column, or the column other values than
        finite numbers.
        """
        ...


Files = Callable[[], FilesOfProject]
"""Gives the files of a project once a spec names one. Most do not."""


class NoFiles:
    """Where there are no files: every one is refused."""

    def with_values(self, dataset: FileData) -> FileData:
        """Raise SpecInvalid."""
        raise SpecInvalid([FieldProblem("/dataset/file", "cannot be read here; send it to a service")])


def with_its_values(dataset: AnyData, files: Files) -> AnyData:
    """The data set, which can read its values. Raises what `FilesOfProject.with_values` does."""
    return files().with_values(dataset) if isinstance(dataset, FileData) else dataset


def with_its_file(spec: JobSpec, dataset: FileData, files: Files) -> JobSpec:
    """The spec with its data set, which is one of a file, able to read its values.

    Raises what `FilesOfProject.with_values` does, and SpecInvalid where the spec has another number of points.
    """
    known = files().with_values(dataset)
    if dataset.points not in (0, known.points):
        message = f"is {dataset.points:,}, and the file has {known.points:,} rows; leave it out"
        raise SpecInvalid([FieldProblem("/dataset/points", message)])
    return spec.model_copy(update={"dataset": known})
