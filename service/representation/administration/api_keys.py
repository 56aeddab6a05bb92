"""Rows of API keys as answers."""

from typing import Any

from sqlalchemy import Row

from gradyard import shapes
from gradyard.jobs.api_keys import understood
from gradyard.jobs.errors import Candidate
from gradyard.store.dialects import as_datetime


def key_answer(row: Row[Any]) -> shapes.ApiKey:
    """A key without its secret."""
    return shapes.ApiKey.of(**_fields(row))


def key_candidate(row: Row[Any]) -> Candidate:
    """A key among those whose ids begin alike."""
    return Candidate(row.id, None, row.name, _fields(row)["state"])


def new_key_answer(row: Row[Any], secret: str) -> shapes.NewApiKey:
    """A key with its secret, right after it was made."""
    return shapes.NewApiKey.of(**_fields(row), key=secret)


def _fields(row: Row[Any]) -> dict[str, Any]:
    expired = row.expires_at is not None and row.expires_at <= row.read_at
    return {
        "id": row.id, "name": row.name, "project": row.project, "hint": row.hint, "scopes": understood(row.scopes),
        "state": "revoked" if row.revoked_at is not None else "expired" if expired else "live",
        "created_at": as_datetime(row.created_at), "created_by": row.created_by,
        "expires_at": as_datetime(row.expires_at), "revoked_at": as_datetime(row.revoked_at),
    }  # fmt: skip
