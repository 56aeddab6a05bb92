"""The parameters of lists that are short as a rule: without any, the first page is all of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import Field

from gradyard.jobs.errors import SpecInvalid
from service.http.errors import ParametersInvalid
from service.http.parameters import Project, Query
from service.http.query_parameters.whole_numbers import Whole

CURSOR = Field(default=None, max_length=2000, description="the next_cursor of the page before")


class LongPageQuery(Query):
    """Which page."""

    limit: Whole = Field(default=1000, ge=1, le=1000, description="at most so many")
    cursor: str | None = CURSOR
    project: Project = None


class LogPageQuery(Query):
    """Which page. A log has up to 64 KiB."""

    limit: Whole = Field(default=100, ge=1, le=100, description="at most so many")
    cursor: str | None = CURSOR
    project: Project = None


@contextmanager
def refusing_wrong_cursors() -> Iterator[None]:
    """Raise ParametersInvalid where the block raises SpecInvalid: a cursor is not one that this service gave."""
    try:
        yield
    except SpecInvalid as error:
        raise ParametersInvalid(error.problems) from None
