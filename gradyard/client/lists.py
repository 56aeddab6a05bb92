"""Lists that come page by page: iterators. A prompt says what they are over, a notebook shows the first rows."""

import functools
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

from pydantic import ValidationError

from gradyard.client.definitions import Iterates, taking_in_turn
from gradyard.client.rows import Rows
from gradyard.shapes.base import Answer

if TYPE_CHECKING:
    from gradyard.client.base import BaseClient

P = ParamSpec("P")
A = TypeVar("A", bound=Answer)
FIRST = 10  # rows that a notebook shows


@dataclass(frozen=True)
class ListOf(Generic[A]):
    """A list of the service: what it is of, its name in the path and in the answer, which answers, how many at most."""

    kind: type[A]
    name: str
    which: Mapping[str, Any]
    limit: int | None


class Lists(Iterates[P, A]):
    """A method that iterates over the list that its definition describes, the newest first."""

    def __init__(self, definition: Callable[Concatenate[Any, P], ListOf[A]]) -> None:
        super().__init__(definition)  # type: ignore[arg-type]  # it describes the iterator: see _method

    def _method(self, bound: Callable[..., Any], client: "BaseClient[Any]") -> Callable[..., Any]:
        @functools.wraps(bound)
        def method(*arguments: Any, **named: Any) -> Any:
            described = bound(*arguments, **named)
            return (_Taken if client.blocks else _Awaited)(described, client)

        return method


lists = Lists


class _Shown(Generic[A]):
    """What a prompt and a notebook show of an iterator. Neither takes an answer from it."""

    def __init__(self, described: ListOf[A], client: "BaseClient[Any]") -> None:
        self._described, self._client = described, client

    def __repr__(self) -> str:
        of = self._described
        asked = [f"{name}={value!r}" for name, value in _given(of.which).items()]
        asked += [] if of.limit is None else [f"limit={of.limit}"]
        return f"<{' '.join(['iterator over', of.name, 'of', self._client.url, *asked])}>"

    def _repr_html_(self) -> str:
        """Its first rows as a table, which are asked for now: answered at once, or left out."""
        from gradyard.shapes.shown.cards import table_of

        of, words = self._described, f"<div>{escape(repr(self))}</div>"
        most = FIRST if of.limit is None else min(FIRST, of.limit)
        answer = self._client._peek.look(f"/v1/{of.name}", {**_given(of.which), "limit": most}) if most > 0 else None
        try:
            rows = Rows(self._client._peek.read(of.kind, each) for each in (answer or {}).get(of.name, ()))
        except (ValidationError, TypeError):  # no answer of ours
            return words
        return words + (table_of(rows) if rows else "") + (f"<div>the first {most}</div>" if len(rows) == most else "")


class _Taken(_Shown[A], Generator[A, None, None]):
    """The iterator of a blocking Client."""

    def __init__(self, described: ListOf[A], client: "BaseClient[Any]") -> None:
        super().__init__(described, client)
        self._answers: Generator[A, None, None] = taking_in_turn(client._newest)(
            described.kind, described.name, described.which, described.limit
        )

    def send(self, value: None) -> A:
        """The next answer."""
        return self._answers.send(value)

    def throw(self, *error: Any) -> A:
        """End it by an error."""
        return self._answers.throw(*error)

    def close(self) -> None:
        """Ask for no more."""
        self._answers.close()


class _Awaited(_Shown[A], AsyncGenerator[A, None]):
    """The iterator of an AsyncClient."""

    def __init__(self, described: ListOf[A], client: "BaseClient[Any]") -> None:
        super().__init__(described, client)
        self._answers: AsyncGenerator[A, None] = client._newest(
            described.kind, described.name, described.which, described.limit
        )  # type: ignore[assignment]

    async def asend(self, value: None) -> A:
        """The next answer."""
        return await self._answers.asend(value)

    async def athrow(self, *error: Any) -> A:
        """End it by an error."""
        return await self._answers.athrow(*error)

    async def aclose(self) -> None:
        """Ask for no more."""
        await self._answers.aclose()


def _given(which: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in which.items() if value not in (None, [], "")}
