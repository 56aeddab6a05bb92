"""What a notebook asks for beside its cells: answered at once, or left out."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import orjson

from gradyard.client.http.connection import Connection
from gradyard.client.http.projects import parameters_of
from gradyard.shapes.base import Answer

A = TypeVar("A", bound=Answer)
SECONDS = 1.0  # for each part of an answer, and until the last one begins: a card without its curve is better than a
# cell that hangs


@dataclass(frozen=True)
class Peek:
    """The origin of answers that a Client of this connection gave. It blocks, for both kinds of Client."""

    connection: Connection
    key: str | None = field(repr=False)

    def look(self, path: str, params: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer of the service; None where it refuses or gives none at once. Never raises."""
        asked = parameters_of(self.connection.project, "GET", path, params)
        headers = self.connection.headers(self.key)
        own = self.connection.is_on_this_machine()
        try:
            url = self.connection.url.rstrip("/") + path
            with httpx.stream("GET", url, params=asked, headers=headers, timeout=SECONDS, trust_env=not own) as found:
                answer = orjson.loads(_in_time(found)) if found.is_success else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return None
        return answer if isinstance(answer, dict) else None

    def read(self, kind: type[A], answer: Any) -> A:
        """The answer as a model, with this origin."""
        return kind.model_validate(answer, context=self)


def _in_time(answer: httpx.Response) -> bytes:
    """The body. Raises ReadTimeout where it drips."""
    until, parts = time.monotonic() + SECONDS, list[bytes]()
    for part in answer.iter_bytes():
        parts.append(part)
        if time.monotonic() > until:
            raise httpx.ReadTimeout("the answer drips", request=answer.request)
    return b"".join(parts)
