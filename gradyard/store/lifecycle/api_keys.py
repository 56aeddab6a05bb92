"""API keys are made, followed by others and revoked."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, insert, or_, select, update

from gradyard.jobs.api_keys import LIVE_KEYS, digest_of, hint_of, stored
from gradyard.jobs.errors import IllegalMove, NotFound, TooManyApiKeys
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.submission.requests.keys import KeyRequest, RotationRequest
from gradyard.store.dialects import insert_or_ignore, now
from gradyard.store.tables import ApiKey, Project

DEFAULT_PROJECT = "default"

is_live: ColumnElement[bool] = and_(
    ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now())
)
"""A condition on a row of `api_keys`: neither revoked nor expired."""


@dataclass(frozen=True)
class Holder:
    """Whose a key is: a name in a project."""

    name: str
    project_id: int
    project: str


def make_key(connection: Connection, asked: KeyRequest, secret: str, *, actor: str) -> UUID:
    """Store the digest of a new key. Its project is made where there is none of that name; None means `default`.

    Raises TooManyApiKeys where the project has `LIVE_KEYS` live keys of that name.
    """
    project = asked.project or DEFAULT_PROJECT
    holder = Holder(asked.name, _locked_project(connection, project), project)
    return _store(connection, holder, stored(asked.scopes), asked.expires_in_days, secret, actor)


def rotate_key(connection: Connection, key: Row[Any], asked: RotationRequest, secret: str, *, actor: str) -> UUID:
    """Store the digest of a key with the name, project and scopes of `key`, which expires after the overlap.

    `key` is a row of `queries.key_by_id`. Raises IllegalMove where it is not live, TooManyApiKeys where it has a
    successor already.
    """
    holder = Holder(key.name, _locked_project(connection, key.project), key.project)
    end = now() + asked.overlap_hours * 3600
    sooner = case((ApiKey.expires_at < end, ApiKey.expires_at), else_=end)
    of_key = (ApiKey.id == key.id, is_live)
    # Before the old one expires: with an overlap of 0 it is no longer live, and the check would count one too few.
    successor = _store(connection, holder, key.scopes, asked.expires_in_days, secret, actor)
    if not connection.execute(update(ApiKey).where(*of_key).values(expires_at=sooner)).rowcount:
        raise IllegalMove("the key is revoked or expired; make a new one")
    return successor


def _store(
    connection: Connection, holder: Holder, scopes: list[str], days: float | None, secret: str, actor: str
) -> UUID:
    mine = (ApiKey.project_id == holder.project_id, ApiKey.name == holder.name, is_live)
    if connection.execute(select(func.count()).where(*mine)).scalar_one() >= LIVE_KEYS:
        raise TooManyApiKeys(f"{holder.name} has {LIVE_KEYS} live keys of {holder.project}; revoke one of them first")
    key_id = new_id()
    row = {
        "id": key_id, "project_id": holder.project_id, "name": holder.name, "sha256": digest_of(secret),
        "hint": hint_of(secret), "scopes": scopes, "created_at": now(), "created_by": actor[:200],
        "expires_at": None if days is None else now() + days * 86_400,
    }  # fmt: skip
    connection.execute(insert(ApiKey).values(row))
    return key_id


def revoke_key(connection: Connection, key_id: UUID) -> None:
    """Revoke a key. A second call changes nothing. Raises NotFound where there is no such key."""
    revoked = update(ApiKey).where(ApiKey.id == key_id).values(revoked_at=func.coalesce(ApiKey.revoked_at, now()))
    if not connection.execute(revoked).rowcount:
        raise NotFound(f"there is no key {key_id}")


def _locked_project(connection: Connection, name: str) -> int:
    """The id of the project, locked: another `make_key` for it waits, and then counts our key."""
    connection.execute(insert_or_ignore(connection, Project), {"name": name})
    return int(connection.execute(select(Project.id).where(Project.name == name).with_for_update()).scalar_one())
