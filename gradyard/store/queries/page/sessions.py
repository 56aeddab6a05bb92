"""Who is signed in to the page."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Double, Row, bindparam, cast, or_, select

from gradyard.store.dialects import now
from gradyard.store.lifecycle.api_keys import is_live
from gradyard.store.tables import ApiKey, PageSession

_idle = cast(bindparam("idle_seconds"), Double)
_in_use = PageSession.used_at > now() - _idle
_live_sessions = select(PageSession.sha256).where(PageSession.sha256.in_(bindparam("digests", expanding=True)), _in_use)
_session: Any = (
    select(PageSession.admin_check, PageSession.used_at, ApiKey.sha256.label("key_sha256"), now().label("read_at"))
    .outerjoin(ApiKey, ApiKey.id == PageSession.key_id)
    .where(PageSession.sha256 == bindparam("digest"))
    .where(_in_use)
    .where(or_(PageSession.key_id.is_(None), is_live))
)  # fmt: skip


def page_session(connection: Connection, digest: str, idle_seconds: float) -> Row[Any] | None:
    """The session of the token with that SHA-256: admin_check, used_at, key_sha256, read_at.

    None where there is none, it was not used for so long, or its key is revoked or expired.
    """
    return connection.execute(_session, {"digest": digest, "idle_seconds": idle_seconds}).first()


def live_sessions(connection: Connection, digests: Collection[str], idle_seconds: float) -> set[str]:
    """Of these SHA-256s of tokens, those of sessions that are there and were used within so many seconds."""
    asked = {"digests": list(digests), "idle_seconds": idle_seconds}
    return set(connection.execute(_live_sessions, asked).scalars())
