"""API keys and their projects. They are the operator's: no project filters them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, bindparam, select

from gradyard.jobs.errors import NotFound
from gradyard.store.dialects import now
from gradyard.store.lifecycle.api_keys import is_live
from gradyard.store.tables import ApiKey, Project

_columns = [*(column for column in ApiKey.__table__.columns if column.name != "sha256"), Project.name.label("project")]
_keys: Select[Any] = select(*_columns, now().label("read_at")).join(Project, Project.id == ApiKey.project_id)

_live_key = _keys.where(ApiKey.sha256 == bindparam("digest"), is_live)


def live_key(connection: Connection, digest: str) -> Row[Any] | None:
    """The key of that SHA-256; None where there is none, or it is revoked or expired."""
    return connection.execute(_live_key, {"digest": digest}).first()


def key_by_id(connection: Connection, key_id: UUID) -> Row[Any]:
    """The key of that id, live or not. Raises NotFound where there is none."""
    row = connection.execute(_keys.where(ApiKey.id == key_id)).first()
    if row is None:
        raise NotFound(f"there is no key {key_id}")
    return row


def keys_newest_first(connection: Connection) -> list[Row[Any]]:
    """All keys, with revoked and expired ones."""
    return list(connection.execute(_keys.order_by(ApiKey.id.desc())))
