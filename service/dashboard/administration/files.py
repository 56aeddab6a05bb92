"""The files of the project: a list, a form that sends one in, and for each a way to a job that is trained on it."""

from collections.abc import Iterable
from typing import Any

from gradyard import shapes
from gradyard.jobs.api_keys import Scope
from service.dashboard.administration.asked import address_with, asked, next_address
from service.http.access.callers import current_caller
from service.http.parameters import PageQuery
from service.routes.files import files_listed


def files() -> tuple[str, dict[str, Any]]:
    """The page of the files of the caller's project."""
    query = asked(PageQuery)
    listed = files_listed(query)
    return "administration/files.html", {
        "files": listed.files, "columns": {file.id: _first_two(file.columns) for file in listed.files},
        "next_address": next_address("files", listed.next_cursor), "is_first": query.cursor is None,
        "first_address": address_with("files", cursor=None), "may_send": current_caller().may(Scope.FILES_WRITE),
    }  # fmt: skip


def _first_two(columns: Iterable[shapes.FileColumn]) -> tuple[str, str] | None:
    """The two columns that a form begins with; None where no two have a number in each row."""
    whole = [column.name for column in columns if column.is_numeric and not column.missing]
    return (whole[0], whole[1]) if len(whole) > 1 else None
