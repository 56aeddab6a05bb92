"""The base of the Clients: their connection to the service, and answers read as models."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import ValidationError

from gradyard.client.definitions import K, TwoWays, asks
from gradyard.client.endpoint import find_service
from gradyard.client.errors import AnswerNotUnderstood
from gradyard.client.http.connection import Connection
from gradyard.client.http.peek import Peek
from gradyard.client.http.transport import Transport
from gradyard.client.http.wires import AwaitedWire, BlockingWire
from gradyard.client.rows import Rows
from gradyard.shapes.base import Answer

A = TypeVar("A", bound=Answer)
PAGE = 200  # of one answer, the service's limit


class BaseClient(TwoWays[K]):
    """A connection to one service."""

    blocks: ClassVar[bool]

    def __init__(
        self, url: str | None = None, key: str | None = None, *, project: str | None = None,
        retry_seconds: float = 30.0, reach_seconds: float | None = None,
    ) -> None:  # fmt: skip
        found, found_key = find_service(url, key)
        of_environment = not key and found_key is not None
        self._connect(Connection(found, key, project, retry_seconds, reach_seconds, of_environment), found_key)

    def _connect(self, connection: Connection, key: str | None) -> None:
        self._client = self
        self._connection = connection
        self.url = connection.url
        self._peek = Peek(connection, key)
        self._transport = Transport(connection, key, BlockingWire if self.blocks else AwaitedWire)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._connection.shown()})"

    def __getstate__(self) -> Connection:
        return self._connection

    def __setstate__(self, connection: Connection) -> None:
        self._connect(connection, connection.key())

    @asks
    async def close(self) -> None:
        """Close the connections that are kept open between requests."""
        await self._transport.close()

    def _one(self, kind: type[A], answer: Any) -> A:
        try:
            return kind.model_validate(answer, context=self._peek)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise AnswerNotUnderstood(self.url, f"{kind.__name__.lower()}: {where}: {first['msg']}") from None

    def _many(self, kind: type[A], answer: Mapping[str, Any], name: str) -> list[A]:
        if not isinstance(answer.get(name), list):
            raise AnswerNotUnderstood(self.url, f"the answer has no {name}")
        return Rows(self._one(kind, one) for one in answer[name])

    async def _newest(
        self, kind: type[A], name: str, which: Mapping[str, Any], limit: int | None, *, inside: str | None = None
    ) -> AsyncIterator[A]:
        """The answers of a paged list, the newest first, at most `limit`; a page is asked for when it is needed.

        inside: the name of the list in the answer, where that is not the path's.
        """
        cursor, left, of_list = None, limit, inside or name
        while left is None or left > 0:
            params = {**which, "limit": min(left or PAGE, PAGE), "cursor": cursor}
            page = await self._transport.ask_json("GET", f"/v1/{name}", params=params)
            for each in self._many(kind, page, of_list):
                yield each
            cursor = page.get("next_cursor")
            left = None if left is None else left - len(page[of_list])
            if cursor is None:
                return

    async def _all(self, kind: type[A], path: str, name: str) -> list[A]:
        """All answers of a list that is short as a rule: its first page, and those after it where there are any."""
        found, cursor = Rows[A](), None
        while True:
            page = await self._transport.ask_json("GET", path, params={"cursor": cursor})
            found += self._many(kind, page, name)
            cursor = page.get("next_cursor")
            if cursor is None:
                return found


def as_list(value: Any) -> Any:
    """Arrays and scalars of numpy or torch as lists and numbers, for `json.dumps(default=...)`."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a spec cannot hold a {type(value).__name__}; numbers, texts, lists and objects only")
