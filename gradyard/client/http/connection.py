"""Where a Client finds its service, and how patient it is."""

import ssl
from dataclasses import dataclass, field
from typing import Any

import httpx

from gradyard.client.endpoint import find_service
from gradyard.client.errors import shown_address
from gradyard.jobs.access import is_loopback


@dataclass(frozen=True)
class Connection:
    """The service of a Client. What is pickled of a Client is this, so a key of the environment is not a part of it."""

    url: str
    given_key: str | None = field(repr=False)
    project: str | None
    retry_seconds: float
    reach_seconds: float | None
    key_is_of_environment: bool = False

    def key(self) -> str | None:
        """The key that was given; where it was the environment's, that of this process, if it is for this address."""
        if not self.key_is_of_environment:
            return self.given_key
        url, key = find_service()
        return key if url == self.url else None

    def headers(self, key: str | None) -> dict[str, str]:
        """Those of every request."""
        return {"User-Agent": "gradyard"} | ({"Authorization": f"Bearer {key}"} if key else {})

    def is_on_this_machine(self) -> bool:
        """Whether it is at a port of this machine, which a proxy of the environment cannot reach."""
        try:
            return is_loopback(httpx.URL(self.url).host)
        except httpx.InvalidURL:
            return False

    def options(self) -> dict[str, Any]:
        """What httpx must know of it: a proxy of the environment is for other machines.

        Where neither that nor the service itself has TLS, no certificates are read, which takes 30 ms: with a context
        without any, no connection with TLS comes about.
        """
        if not self.is_on_this_machine():
            return {}
        is_in_clear = httpx.URL(self.url).scheme == "http"
        return {"trust_env": False, **({"verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)} if is_in_clear else {})}

    def shown(self) -> str:
        """The address and project for people, without a password of the address."""
        return repr(shown_address(self.url)) + (f", project={self.project!r}" if self.project else "")
