"""The files of the caller's project, for what a request submits or shows."""

from flask import g

from gradyard.store.files.of_project import ProjectFiles
from service.http.access.callers import current_caller
from service.http.services import current_services


def files_of_caller() -> ProjectFiles:
    """Finds the files of the project of the current request, each once."""
    if "files" not in g:
        g.files = ProjectFiles(current_services().files, current_caller().project_id)
    files: ProjectFiles = g.files
    return files
