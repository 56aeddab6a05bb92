"""Keys of the API."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from gradyard.jobs.api_keys import Scope


class Key(BaseModel):
    """A key, without itself."""

    id: str
    name: str
    project: str
    hint: str = Field(description="how the key begins")
    scopes: list[Scope]
    state: Literal["live", "expired", "revoked"]
    created_at: AwareDatetime
    created_by: str
    expires_at: AwareDatetime | None
    revoked_at: AwareDatetime | None


class NewKey(Key):
    """A key that was just made, with the key itself: this is the only time that it is told."""

    key: str


class KeyList(BaseModel):
    """All keys."""

    keys: list[Key]
