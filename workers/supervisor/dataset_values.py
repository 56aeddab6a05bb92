"""The data sets of a pack, each with its values. Those of files are read in this process: a runner reaches no file."""

from collections.abc import Mapping, Sequence
from typing import Any

from gradyard.jobs.errors import ContentMissing, FileInvalid, SpecInvalid
from gradyard.jobs.specs.datasets import AnyData, stored_dataset
from gradyard.jobs.specs.file_data import FileData
from gradyard.jobs.submission.files import FilesOfProject, NoFiles
from gradyard.store.files.of_project import ProjectFiles
from gradyard.store.files.reading import FileReader


class DatasetValues:
    """Finds the data sets of one pack. projects: of each of its members."""

    def __init__(self, reader: FileReader | None, projects: Sequence[int]) -> None:
        self._projects = projects
        self._files: dict[int, FilesOfProject] = {
            project_id: NoFiles() if reader is None else ProjectFiles(reader, project_id)
            for project_id in set(projects)
        }

    def of(self, index: int, stored: Mapping[str, Any]) -> AnyData:
        """The data set of a member, as its spec has it. Raises ContentMissing where its file is not as it was."""
        dataset = stored_dataset(stored)
        if not isinstance(dataset, FileData):
            return dataset
        try:
            dataset = self._files[self._projects[index]].with_values(dataset)
            dataset.arrays()  # they stay in memory until the pack is sent
        except (SpecInvalid, FileInvalid) as error:
            raise ContentMissing(f"the file is not what it was when the job was submitted: {error}") from None
        return dataset
