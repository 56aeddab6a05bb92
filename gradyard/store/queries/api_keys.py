"""API keys, and the projects that they open."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, bindparam, select

from gradyard.jobs.errors import NotFound
from gradyard.store.dialects import now
from gradyard.store.lifecycle.api_keys import is_live
from gradyard.store.queries.jobs import cursor_after, id_in
from gradyard.store.tables import ApiKey, Project

_columns = [*(column for column in ApiKey.__table__.columns if column.name != "sha256"), Project.name.label("project")]
_keys: Select[Any] = select(*_columns, now().label("read_at")).join(Project, Project.id == ApiKey.project_id)

_live_key = _keys.where(ApiKey.sha256 == bindparam("digest"), is_live)


def live_key(connection: Connection, digest: str) -> Row[Any] | None:
    """The key of that SHA-256; None where there is none, or it is revoked or expired."""
    return connection.execute(_live_key, {"digest": digest}).first()


_live_keys = select(ApiKey.sha256).where(ApiKey.sha256.in_(bindparam("digests", expanding=True)), is_live)


def live_keys(connection: Connection, digests: Collection[str]) -> set[str]:
    """Of these SHA-256s, those of keys that are neither revoked nor expired."""
    return set(connection.execute(_live_keys, {"digests": list(digests)}).scalars())


def key_by_id(connection: Connection, project_id: int | None, key_id: UUID) -> Row[Any]:
    """The key of that id, live or not, of a project (None: of any). Raises NotFound where there is none."""
    row = connection.execute(_of(project_id).where(ApiKey.id == key_id)).first()
    if row is None:
        raise NotFound(f"there is no key {key_id}")
    return row


def keys_between(
    connection: Connection, project_id: int | None, first: UUID, last: UUID, limit: int
) -> list[Row[Any]]:  # fmt: skip
    """The newest keys of a project (None: of any) with ids from `first` to `last`, at most `limit`."""
    within = _of(project_id).where(ApiKey.id >= first, ApiKey.id <= last)
    return list(connection.execute(within.order_by(ApiKey.id.desc()).limit(limit)))


def keys_newest_first(
    connection: Connection, project_id: int | None, *, limit: int, cursor: str | None = None
) -> tuple[list[Row[Any]], str | None]:
    """A page of the keys of a project (None: of all), with revoked and expired ones, and the cursor of the next page.

    Raises SpecInvalid where the cursor is not one that this service gave.
    """
    query = _of(project_id) if cursor is None else _of(project_id).where(ApiKey.id < id_in(cursor))
    rows = list(connection.execute(query.order_by(ApiKey.id.desc()).limit(limit + 1)))
    more = len(rows) > limit
    return rows[:limit], cursor_after(rows[limit - 1].id) if more else None


def _of(project_id: int | None) -> Select[Any]:
    return _keys if project_id is None else _keys.where(ApiKey.project_id == project_id)


def project_named(connection: Connection, name: str) -> int:
    """The number of the project of that name. Raises NotFound where there is none."""
    found = connection.execute(select(Project.id).where(Project.name == name)).scalar()
    if found is None:
        raise NotFound(f"there is no project {name}")
    return found
