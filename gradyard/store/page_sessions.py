"""Browsers are signed in to the page, and signed out."""

from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from gradyard.store.dialects import now
from gradyard.store.tables import PageSession

MOST_OF_A_KEY = 20  # sessions; the oldest gives way


def open_session(
    connection: Connection, digest: str, *, key_id: UUID | None, admin_check: str | None, idle_seconds: float
) -> None:
    """Store a new session by the SHA-256 of its token. Forget those long unused, and its key's oldest."""
    connection.execute(delete(PageSession).where(PageSession.used_at < now() - idle_seconds))
    of_key = PageSession.key_id.is_(None) if key_id is None else PageSession.key_id == key_id
    newest = select(PageSession.sha256).where(of_key).order_by(PageSession.created_at.desc(), PageSession.sha256)
    older = list(connection.execute(newest.offset(MOST_OF_A_KEY - 1)).scalars())
    connection.execute(delete(PageSession).where(PageSession.sha256.in_(older)))
    row = {"sha256": digest, "key_id": key_id, "admin_check": admin_check, "created_at": now(), "used_at": now()}
    connection.execute(insert(PageSession).values(row))


def note_use(connection: Connection, digest: str) -> None:
    """Note that the session is used now."""
    connection.execute(update(PageSession).where(PageSession.sha256 == digest).values(used_at=now()))


def end_session(connection: Connection, digest: str) -> None:
    """End the session. A second call changes nothing."""
    connection.execute(delete(PageSession).where(PageSession.sha256 == digest))
