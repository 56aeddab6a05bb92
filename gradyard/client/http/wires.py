"""The two ways to send a request and to wait: in the calling thread, and in an event loop."""

import os
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, ParamSpec, Protocol, TypeVar

import httpx
from httpx_sse import EventSource, ServerSentEvent

P = ParamSpec("P")
R = TypeVar("R")


class Wire(Protocol):
    """What the transport needs of a way. Its coroutines fail with the errors of httpx."""

    @property
    def http(self) -> httpx.Client | httpx.AsyncClient:
        """What builds requests."""

    async def send(self, request: httpx.Request, stream: bool) -> httpx.Response:
        """Send a request. stream: return when the head of the answer has arrived."""

    async def read(self, answer: httpx.Response) -> None:
        """Read the rest of a streamed answer."""

    def blocks(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        """The bytes of a streamed answer as they arrive."""

    def events(self, answer: httpx.Response) -> AsyncIterator[ServerSentEvent]:
        """The messages of a stream of events as they arrive."""

    async def end(self, answer: httpx.Response) -> None:
        """Give the connection of a streamed answer back, or close it where the answer goes on."""

    async def pause(self, seconds: float) -> None:
        """Wait."""

    async def run(self, function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """Call what may block for long, such as a write to a disk."""

    async def close(self) -> None:
        """Close the connections that are kept open between requests."""


class BlockingWire:
    """Waits in the calling thread: no coroutine of it is ever suspended. Threads may share it."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._http, self._process = httpx.Client(**options), os.getpid()

    @property
    def http(self) -> httpx.Client:
        if self._process != os.getpid():  # a fork has its parent's sockets, and would read its parent's answers
            self._http, self._process = httpx.Client(**self._options), os.getpid()
        return self._http

    async def send(self, request: httpx.Request, stream: bool) -> httpx.Response:
        return self.http.send(request, stream=stream)

    async def read(self, answer: httpx.Response) -> None:
        answer.read()

    async def blocks(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        for block in answer.iter_bytes():
            yield block

    async def events(self, answer: httpx.Response) -> AsyncIterator[ServerSentEvent]:
        for event in EventSource(answer).iter_sse():
            yield event

    async def end(self, answer: httpx.Response) -> None:
        answer.close()

    async def pause(self, seconds: float) -> None:
        time.sleep(seconds)

    async def run(self, function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        return function(*arguments, **named)

    async def close(self) -> None:
        self.http.close()


class AwaitedWire:
    """Waits in the event loop of its first request. A cancelled request closes its connection."""

    def __init__(self, **options: Any) -> None:
        self.http = httpx.AsyncClient(**options)

    async def send(self, request: httpx.Request, stream: bool) -> httpx.Response:
        return await self.http.send(request, stream=stream)

    async def read(self, answer: httpx.Response) -> None:
        await answer.aread()

    def blocks(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        return answer.aiter_bytes()

    def events(self, answer: httpx.Response) -> AsyncIterator[ServerSentEvent]:
        return EventSource(answer).aiter_sse()

    async def end(self, answer: httpx.Response) -> None:
        await answer.aclose()

    async def pause(self, seconds: float) -> None:
        import anyio  # here: a blocking Client needs none

        await anyio.sleep(seconds)

    async def run(self, function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        import functools

        import anyio.to_thread

        return await anyio.to_thread.run_sync(functools.partial(function, *arguments, **named))

    async def close(self) -> None:
        await self.http.aclose()
