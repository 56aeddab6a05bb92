"""The data sets of a pack, each with its values. Those of files are read in this process: a runner reaches no file."""

from collections.abc import Mapping, Sequence
from typing import Any

from gradyard.jobs.errors import ContentMissing, ContentUnavailable, FileInvalid, FormatUnsupported, SpecInvalid
from gradyard.jobs.specs.datasets import AnyData, stored_dataset
from gradyard.jobs.specs.file_data import FileData
from gradyard.jobs.specs.files_of_project import FilesOfProject, NoFiles
from gradyard.store.files.of_project import ProjectFiles
from gradyard.store.files.reading import FileReader


class FileGone(ContentMissing):
    """The file of a project is gone, or another one than it was. A project's loss is none of the others."""

    def __init__(self, message: str, project_id: int) -> None:
        self.project_id = project_id
        super().__init__(message)


class DatasetValues:
    """Finds the data sets of one pack. projects: of each of its members."""

    def __init__(self, reader: FileReader | None, projects: Sequence[int]) -> None:
        self._projects = projects
        self._files: dict[int, FilesOfProject] = {
            each: NoFiles() if reader is None else ProjectFiles(reader, each) for each in set(projects)
        }

    def of(self, index: int, stored: Mapping[str, Any]) -> AnyData:
        """The data set of a member, as its spec has it.

        Raises FileGone where its file is not what it was, ContentUnavailable where this host cannot read it now.
        """
        dataset = stored_dataset(stored)
        if not isinstance(dataset, FileData):
            return dataset
        project_id = self._projects[index]
        try:
            dataset = self._files[project_id].with_values(dataset)
            dataset.arrays()  # read here, where a loss is known to be of this project; the reader keeps them a while
        except FormatUnsupported as error:
            raise ContentUnavailable(f"this host cannot read its file: {error}") from None
        except ContentMissing as error:
            raise FileGone(str(error), project_id) from None
        except (SpecInvalid, FileInvalid) as error:
            gone = f"the file is not what it was when the job was submitted: {error}"
            raise FileGone(gone, project_id) from None
        return dataset
