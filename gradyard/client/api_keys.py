"""Requests of the Client for API keys. They need the scope `admin`, or a service without keys on this machine."""

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any
from urllib.parse import quote

from gradyard.client.base import BaseClient
from gradyard.shapes import ApiKey, NewApiKey


class Keys:
    """The keys of a service. Called, it lists them; `revoke` takes the id of a key."""

    def __init__(self, client: "KeyRequests") -> None:
        self._client = client
        self.create, self.revoke = client.make_key, client.revoke_key

    def __call__(self) -> list[ApiKey]:
        """The keys of all projects, the newest first, without their secrets."""
        return self._client._many(ApiKey, self._client._transport.ask_json("GET", "/v1/keys"), "keys")


class KeyRequests(BaseClient):
    """Make, list and revoke keys."""

    @cached_property
    def keys(self) -> Keys:
        """The keys. `client.keys()` lists them, `client.keys.revoke(id)` is `client.revoke_key(id)`."""
        return Keys(self)

    def make_key(
        self, name: str, *, project: str | None = None, scopes: Sequence[str] | None = None,
        expires_in_days: float | None = None,
    ) -> NewApiKey:  # fmt: skip
        """Make a key for a project; the project is made if there is none of that name.

        The secret is in `key` of the answer, and cannot be read again.
        scopes: of `jobs:read`, `jobs:write`, `metrics:read`, `admin`. Default: `jobs:read` and `jobs:write`.
        If the answer is lost, Unreachable is raised, and a key with an unknown secret may exist: see `keys()`.
        """
        chosen = None if scopes is None else list(scopes)
        given = {"project": project, "scopes": chosen, "expires_in_days": expires_in_days}
        asked: dict[str, Any] = {"name": name} | {each: value for each, value in given.items() if value is not None}
        headers, body = {"Content-Type": "application/json"}, json.dumps(asked).encode()
        return self._one(NewApiKey, self._transport.ask_json("POST", "/v1/keys", body=body, headers=headers, once=True))

    def revoke_key(self, key_id: str) -> None:
        """Revoke a key; it stops working within seconds."""
        self._transport.ask("DELETE", f"/v1/keys/{quote(key_id, safe='')}")
