"""API keys are made and revoked."""

from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from gradyard.jobs.api_keys import LIVE_KEYS, digest_of, hint_of
from gradyard.jobs.errors import NotFound, TooManyApiKeys
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.submission.key_requests import KeyRequest
from gradyard.store.dialects import insert_or_ignore, now
from gradyard.store.tables import ApiKey, Project

is_live: ColumnElement[bool] = and_(
    ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now())
)
"""A condition on a row of `api_keys`: neither revoked nor expired."""


def make_key(connection: Connection, asked: KeyRequest, secret: str, *, actor: str) -> UUID:
    """Store the digest of a new key. Its project is made where there is none of that name.

    Raises TooManyApiKeys where the project has `LIVE_KEYS` live keys of that name.
    """
    project_id = _locked_project(connection, asked.project)
    mine = (ApiKey.project_id == project_id, ApiKey.name == asked.name, is_live)
    if connection.execute(select(func.count()).where(*mine)).scalar_one() >= LIVE_KEYS:
        raise TooManyApiKeys(f"{asked.name} has {LIVE_KEYS} live keys of {asked.project}; revoke one of them first")
    days, key_id = asked.expires_in_days, new_id()
    row = {
        "id": key_id, "project_id": project_id, "name": asked.name, "sha256": digest_of(secret),
        "hint": hint_of(secret), "scopes": sorted(set(asked.scopes)), "created_at": now(), "created_by": actor[:200],
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
