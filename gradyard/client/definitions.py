"""One definition of each method, for a Client that blocks and for one that is awaited.

A method is defined once, as an `async def`. All that it waits for goes through the Client's transport. The transport
of a blocking Client waits in the calling thread, so that the coroutine comes to its end in one go, without an event
loop; that of an AsyncClient awaits.
"""

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator
from types import MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

if TYPE_CHECKING:
    from gradyard.client.base import BaseClient

P = ParamSpec("P")
R = TypeVar("R")


class Blocking:
    """The kind of a Client whose methods return their answers."""


class Awaited:
    """The kind of a Client whose methods return awaitables and asynchronous iterators of their answers."""


K = TypeVar("K", bound=Blocking | Awaited, covariant=True)


class TwoWays(Generic[K]):
    """What has methods of a kind: a Client, and its nouns."""

    _client: "BaseClient[K]"


class Noun(TwoWays[K]):
    """What `client.jobs` and its like are. Called, it lists; its verbs are methods of the Client."""

    def __init__(self, client: "BaseClient[K]") -> None:
        self._client = client


class Asks(Generic[P, R]):
    """A method with one answer. of_client: it is defined by the Client of a noun, and not by the noun."""

    def __init__(
        self, definition: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], of_client: bool = False
    ) -> None:
        self._definition, self._of_client = definition, of_client

    @overload
    def __get__(self, found: None, owner: type[Any]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]: ...
    @overload
    def __get__(self, found: TwoWays[Blocking], owner: type[Any]) -> Callable[P, R]: ...
    @overload
    def __get__(self, found: TwoWays[Awaited], owner: type[Any]) -> Callable[P, Coroutine[Any, Any, R]]: ...
    def __get__(self, found: Any, owner: type[Any]) -> Any:
        """What calls the definition in the way of the object; of a class for both kinds, the definition itself."""
        if found is None:
            return _finishing(self._definition) if getattr(owner, "blocks", False) else self._definition
        bound = MethodType(self._definition, found._client if self._of_client else found)
        return _finishing(bound) if found._client.blocks else bound


class Iterates(Generic[P, R]):
    """A method that gives many answers as they arrive. of_client: it is defined by the Client of a noun."""

    def __init__(self, definition: Callable[Concatenate[Any, P], AsyncIterator[R]], of_client: bool = False) -> None:
        self._definition, self._of_client = definition, of_client

    @overload
    def __get__(self, found: None, owner: type[Any]) -> Callable[Concatenate[Any, P], AsyncGenerator[R, None]]: ...
    @overload
    def __get__(self, found: TwoWays[Blocking], owner: type[Any]) -> Callable[P, Generator[R, None, None]]: ...
    @overload
    def __get__(self, found: TwoWays[Awaited], owner: type[Any]) -> Callable[P, AsyncGenerator[R, None]]: ...
    def __get__(self, found: Any, owner: type[Any]) -> Any:
        """What calls the definition in the way of the object; of a class for both kinds, the definition itself."""
        if found is None:
            return taking_in_turn(self._definition) if getattr(owner, "blocks", False) else self._definition
        return self._method(MethodType(self._definition, found._client if self._of_client else found), found._client)

    def _method(self, bound: Callable[..., Any], client: "BaseClient[Any]") -> Callable[..., Any]:
        return taking_in_turn(bound) if client.blocks else bound


asks = Asks
iterates = Iterates


def verb(definition: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]) -> Asks[P, R]:
    """A verb of a noun: the method of the Client that is defined so."""
    return Asks(definition, of_client=True)


def verb_of_many(definition: Callable[Concatenate[Any, P], AsyncIterator[R]]) -> Iterates[P, R]:
    """A verb of a noun that gives many answers: the method of the Client that is defined so."""
    return Iterates(definition, of_client=True)


def finish(coroutine: Coroutine[Any, Any, R]) -> R:
    """The answer of a coroutine that waits in this thread, and for no event loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise RuntimeError("a method of the blocking Client waited for an event loop")


def _finishing(bound: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(bound)
    def method(*arguments: Any, **named: Any) -> Any:
        return finish(bound(*arguments, **named))

    return method


def taking_in_turn(bound: Callable[..., Any]) -> Callable[..., Any]:
    """The method as one that gives its answers to this thread, each when it is taken."""

    @functools.wraps(bound)
    def method(*arguments: Any, **named: Any) -> Generator[Any, None, None]:
        answers = bound(*arguments, **named)
        try:
            while True:
                try:
                    answer = finish(answers.__anext__())
                except StopAsyncIteration:
                    return
                yield answer
        finally:
            finish(answers.aclose())  # a connection that was held for the rest is closed now

    return method
