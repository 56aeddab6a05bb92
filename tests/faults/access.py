"""The two projects of a run, and a key for each."""

from dataclasses import dataclass

import httpx

from tests.faults.canaries import ADMIN_KEY

DEFAULT, NEIGHBOR = "default", "neighbor"


@dataclass(frozen=True)
class Access:
    """The project that a client asks for, and its key: by default the administrator's."""

    project: str = DEFAULT
    key: str = ADMIN_KEY

    @property
    def headers(self) -> dict[str, str]:
        """The header that opens the service."""
        return {"Authorization": f"Bearer {self.key}"}


def keys_of_two_projects(url: str, transport: httpx.BaseTransport | None = None) -> tuple[Access, Access]:
    """Make a key for each of two projects, as the administrator."""
    headers = Access().headers
    with httpx.Client(base_url=url, timeout=20.0, trust_env=False, headers=headers, transport=transport) as client:
        made = [client.post("/v1/keys", json={"name": "load", "project": name}) for name in (DEFAULT, NEIGHBOR)]
    one, other = (Access(each.raise_for_status().json()["project"], each.json()["key"]) for each in made)
    return one, other
