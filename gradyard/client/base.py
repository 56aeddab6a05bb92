"""The base of the Client: its connection to the service, and answers read as models."""

from collections.abc import Iterator, Mapping
from typing import Any, Self, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from gradyard.client.endpoint import find_service
from gradyard.client.errors import AnswerNotUnderstood
from gradyard.client.transport import Transport
from gradyard.shapes.base import Answer

A = TypeVar("A", bound=Answer)
PAGE = 200  # of one answer, the service's limit


class BaseClient:
    """A connection to one service."""

    def __init__(
        self, url: str | None = None, key: str | None = None, *, retry_seconds: float = 30.0,
        reach_seconds: float | None = None,
    ) -> None:  # fmt: skip
        self.url, key = find_service(url, key)
        self._transport = Transport(self.url, key, retry_seconds, reach_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open between requests."""
        self._transport.close()

    def _one(self, kind: type[A], answer: Any) -> A:
        try:
            return kind.model_validate(answer)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise AnswerNotUnderstood(self.url, f"{kind.__name__.lower()}: {where}: {first['msg']}") from None

    def _many(self, kind: type[A], answer: Mapping[str, Any], name: str) -> list[A]:
        if not isinstance(answer.get(name), list):
            raise AnswerNotUnderstood(self.url, f"the answer has no {name}")
        return [self._one(kind, one) for one in answer[name]]

    def _newest(self, kind: type[A], name: str, which: Mapping[str, Any], limit: int | None) -> Iterator[A]:
        """The answers of a paged list, the newest first, at most `limit`; a page is asked for when it is needed."""
        cursor, left = None, limit
        while left is None or left > 0:
            params = {**which, "limit": min(left or PAGE, PAGE), "cursor": cursor}
            page = self._transport.ask_json("GET", f"/v1/{name}", params=params)
            yield from self._many(kind, page, name)
            cursor = page.get("next_cursor")
            left = None if left is None else left - len(page[name])
            if cursor is None:
                return


def job_path(job_id: str) -> str:
    """The path of a job below the service's address."""
    return f"/v1/jobs/{quote(str(job_id), safe='')}"


def as_list(value: Any) -> Any:
    """Arrays and scalars of numpy or torch as lists and numbers, for `json.dumps(default=...)`."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a spec cannot hold a {type(value).__name__}; numbers, texts, lists and objects only")
