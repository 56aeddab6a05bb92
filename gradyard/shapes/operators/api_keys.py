"""Keys of the API."""

from typing import Literal

from pydantic import AwareDatetime, Field

from gradyard.jobs.api_keys import Scope
from gradyard.shapes.base import Answer


class ApiKey(Answer):
    """A key of the API: its name, the project that it opens and for what. The secret itself is not stored."""

    id: str
    name: str = ""
    project: str = ""
    hint: str = Field(default="", description="how the key begins")
    scopes: tuple[Scope | str, ...] = Field(default=(), json_schema_extra={"items": {"enum": list(Scope)}})
    state: Literal["live", "expired", "revoked"]
    created_at: AwareDatetime | None = None
    created_by: str = ""
    expires_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None


class NewApiKey(ApiKey):
    """A key that was just made, with its secret: `key` is shown once."""

    key: str = Field(repr=False)


class ApiKeyList(Answer):
    """Keys, the newest first. `next_cursor` asks for the next page; null on the last one."""

    keys: tuple[ApiKey, ...]
    next_cursor: str | None = None
