"""Rows of the audit as answers."""

from typing import Any

from sqlalchemy import Row

from gradyard import shapes
from gradyard.store.dialects import as_datetime


def entry_answer(entry: Row[Any]) -> shapes.AuditEntry:
    """One entry of the audit."""
    return shapes.AuditEntry.of(
        id=entry.id, at=as_datetime(entry.at), actor=entry.actor, project=entry.project, action=entry.action,
        target=entry.target, detail=entry.detail,
    )  # fmt: skip
