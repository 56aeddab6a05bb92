"""What the Client says of keys; it needs one with the scope `admin`, or a service without keys on this machine."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from gradyard.client.base import BaseClient
from gradyard.shapes import ApiKey, NewApiKey


class KeyRequests(BaseClient):
    """Make, list and revoke keys."""

    def make_key(
        self, name: str, *, project: str | None = None, scopes: Sequence[str] | None = None,
        expires_in_days: float | None = None,
    ) -> NewApiKey:  # fmt: skip
        """A key for somebody's use of a project, which is made where there is none of that name.

        Its `key` is told this once. scopes: `jobs:read` and `jobs:write` unless given; `metrics:read`, `admin`. Where
        the answer gets lost, Unreachable is raised and the key, which nobody knows, may be there: look at `keys()`.
        """
        chosen = None if scopes is None else list(scopes)
        given = {"project": project, "scopes": chosen, "expires_in_days": expires_in_days}
        asked: dict[str, Any] = {"name": name} | {each: value for each, value in given.items() if value is not None}
        headers, body = {"Content-Type": "application/json"}, json.dumps(asked).encode()
        return self._one(NewApiKey, self._transport.ask_json("POST", "/v1/keys", body=body, headers=headers, once=True))

    def keys(self) -> list[ApiKey]:
        """All keys of all projects, the newest first; none of them with its `key`."""
        return self._many(ApiKey, self._transport.ask_json("GET", "/v1/keys"), "keys")

    def revoke_key(self, key_id: str) -> None:
        """From now on (within seconds) it opens nothing."""
        self._transport.ask("DELETE", f"/v1/keys/{quote(key_id, safe='')}")
