"""Ids in paths, and the jobs that they name."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from gradyard.jobs.errors import NotFound
from gradyard.store import queries
from service.http.callers import current_caller


def parse_id(text: str, what: str) -> UUID:
    """The id of a `what` in a path; NotFound where the text is no UUID."""
    try:
        parsed = UUID(text)
    except ValueError:
        parsed = None
    if parsed is None or str(parsed) != text.lower():
        raise NotFound(f"there is no {what} {text}")
    return parsed


def find_job(connection: Connection, text: str) -> Row[Any]:
    """The caller's job whose id is in the path; NotFound where there is none, Gone where it was deleted."""
    return queries.job_by_id(connection, current_caller().project_id, parse_id(text, "job"))
