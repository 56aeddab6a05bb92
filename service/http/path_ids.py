"""Ids in paths."""

from uuid import UUID

from gradyard.jobs.errors import NotFound


def parse_id(text: str, what: str) -> UUID:
    """The id of a `what` in a path; NotFound where it cannot be one."""
    try:
        found = UUID(text)
    except ValueError:
        found = None
    if found is None or str(found) != text.lower():
        raise NotFound(f"there is no {what} {text}")
    return found
