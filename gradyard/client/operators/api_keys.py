"""Requests of the Client for API keys. They need the scope `admin`, or a service without keys on this machine."""

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from gradyard.client.base import BaseClient
from gradyard.client.definitions import K, Noun, asks, verb
from gradyard.client.identities import KeyLike, key_path
from gradyard.shapes import ApiKey, NewApiKey


class KeyRequests(BaseClient[K]):
    """Make, list, rotate and revoke keys."""

    @cached_property
    def keys(self) -> "Keys[K]":
        """The keys. `client.keys()` lists them, `client.keys.revoke(id)` is `client.revoke_key(id)`."""
        return Keys(self)

    @asks
    async def make_key(
        self, name: str, *, project: str | None = None, scopes: Sequence[str] | None = None,
        expires_in_days: float | None = None,
    ) -> NewApiKey:  # fmt: skip
        """Make a key for a project. An operator may name any; it is made if there is none of that name.

        The secret is in `key` of the answer, and cannot be read again.
        scopes: of `jobs:read`, `jobs:write`, `files:write`, `metrics:read`, `admin` (of the project) and `operator` (of
        the service). Default: `jobs:read` and `jobs:write`. project: default: that of the key which asks.
        If the answer is lost, Unreachable is raised, and a key with an unknown secret may exist: see `keys()`.
        """
        chosen = None if scopes is None else list(scopes)
        given = {"project": project, "scopes": chosen, "expires_in_days": expires_in_days}
        asked: dict[str, Any] = {"name": name} | {each: value for each, value in given.items() if value is not None}
        headers, body = {"Content-Type": "application/json"}, json.dumps(asked).encode()
        answer = await self._transport.ask_json("POST", "/v1/keys", body=body, headers=headers, once=True)
        return self._one(NewApiKey, answer)

    @asks
    async def rotate_key(
        self, key: KeyLike, *, overlap_hours: float = 24.0, expires_in_days: float | None = None
    ) -> NewApiKey:
        """Make the successor of a key, with its name, project and scopes; the old one expires after the overlap.

        The secret is in `key` of the answer, and cannot be read again. expires_in_days: of the new one; default: never.
        If the answer is lost, Unreachable is raised, and a key with an unknown secret may exist: see `keys()`.
        """
        asked = {"overlap_hours": overlap_hours} | ({"expires_in_days": expires_in_days} if expires_in_days else {})
        headers, body = {"Content-Type": "application/json"}, json.dumps(asked).encode()
        path = f"{key_path(key)}/rotate"
        answer = await self._transport.ask_json("POST", path, body=body, headers=headers, once=True)
        return self._one(NewApiKey, answer)

    @asks
    async def revoke_key(self, key: KeyLike) -> None:
        """Revoke a key; it stops working within seconds."""
        await self._transport.ask("DELETE", key_path(key))


class Keys(Noun[K]):
    """The keys of a service. Called, it lists them; `rotate` and `revoke` take a key or its id."""

    create, rotate, revoke = verb(KeyRequests.make_key), verb(KeyRequests.rotate_key), verb(KeyRequests.revoke_key)

    @asks
    async def __call__(self) -> list[ApiKey]:
        """The keys of the project, or of all for an operator, the newest first, without their secrets."""
        return await self._client._all(ApiKey, "/v1/keys", "keys")
