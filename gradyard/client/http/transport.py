"""HTTP with retries: after a lost connection or from a busy service a request is sent again, until a deadline.

Almost every request may be sent twice: reads change nothing, submits and retries carry an Idempotency-Key, a second
cancel or delete changes nothing more. The others are sent with `once`.
"""

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import httpx
from httpx_sse import ServerSentEvent

from gradyard.client.errors import AnswerNotUnderstood, Unreachable
from gradyard.client.http.connection import Connection
from gradyard.client.http.failures import description
from gradyard.client.http.projects import parameters_of
from gradyard.client.http.refusals import refusal_of, retry_after
from gradyard.client.http.wires import Wire

BUSY = frozenset({429, 503})
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
BEGINNING_SECONDS = 60.0  # of a long answer: the service looks first which jobs it is of
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0

P = ParamSpec("P")
R = TypeVar("R")


class _Retryable(Exception):
    """This try failed, and the next one may succeed, after `seconds` where the service named them."""

    def __init__(self, failure: Exception, seconds: float | None = None) -> None:
        self.failure = failure
        self.seconds = seconds


@dataclass(frozen=True)
class LongAnswer:
    """An answer that is read as it arrives."""

    headers: Mapping[str, str]
    blocks: Callable[[], AsyncIterator[bytes]]
    events: Callable[[], AsyncIterator[ServerSentEvent]]

    async def lines(self) -> AsyncIterator[str]:
        """Its lines. Only a line feed ends one: str.splitlines knows letters that a text may have inside."""
        parts: list[bytes] = []
        async for block in self.blocks():
            first, *others = block.split(b"\n")
            parts.append(first)
            for each in others:
                yield b"".join(parts).decode(errors="replace")
                parts = [each]
        if any(parts):
            yield b"".join(parts).decode(errors="replace")


class Transport:
    """One service. A request is repeated for `retry_seconds` of the connection at most, counted from its first sending.

    `reach_seconds` takes the place of `retry_seconds` until the service has answered for the first time. The project
    is named in each request that an operator may send for another project than that of its key.
    """

    def __init__(self, connection: Connection, key: str | None, wire: Callable[..., Wire]) -> None:
        self.url = connection.url.rstrip("/")
        self._project = connection.project
        try:
            httpx.URL(self.url)
        except httpx.InvalidURL as error:
            raise Unreachable(self.url, f"the address is not valid: {error}") from None
        self._retry_seconds = connection.retry_seconds
        reach = connection.reach_seconds
        self._repeat_seconds = self._retry_seconds if reach is None else reach
        self._wire = wire(headers=connection.headers(key), **connection.options())

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        hold_seconds: float = 0.0,
        also_fine: frozenset[int] = frozenset(),
        once: bool = False,
        within: float | None = None,
    ) -> httpx.Response:
        """Send a request, and return an answer with status 2xx or one of `also_fine`.

        hold_seconds: how long the service may hold the answer back (a long poll). once: do not send the request again
        where the service may have received it. within: for how many seconds it is repeated at most.
        Raises Unreachable where no answer came until the deadline, RefusedByService for any other status.
        """
        request = self._wire.http.build_request(
            method,
            self.url + path,
            params=parameters_of(self._project, method, path, params or {}),
            content=body,
            headers=headers,
            timeout=httpx.Timeout(ANSWER_SECONDS + hold_seconds, connect=CONNECT_SECONDS),
        )
        return await self._repeated(lambda: self._send(request, also_fine, once), within)

    async def _repeated(
        self, send: Callable[[], Awaitable[httpx.Response]], within: float | None = None
    ) -> httpx.Response:  # fmt: skip
        began = time.monotonic()
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await send()
            except _Retryable as failed_try:
                seconds = pause * random.uniform(0.5, 1.0) if failed_try.seconds is None else failed_try.seconds
                repeat_seconds = self._repeat_seconds if within is None else min(self._repeat_seconds, within)
                if time.monotonic() + seconds > began + repeat_seconds:
                    raise failed_try.failure from None
            await self.pause(seconds)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _send(
        self, request: httpx.Request, also_fine: frozenset[int] = frozenset(), once: bool = False, stream: bool = False
    ) -> httpx.Response:
        try:
            answer = await self._wire.send(request, stream)
            if stream and not answer.is_success:
                await self._wire.read(answer)
        except httpx.UnsupportedProtocol:
            raise Unreachable(self.url, "it must begin with http:// or https://") from None
        except httpx.TransportError as error:
            failure = Unreachable(self.url, description(error))
            if once and not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                raise failure from None
            raise _Retryable(failure) from None
        self._repeat_seconds = self._retry_seconds
        if answer.is_success or answer.status_code in also_fine:
            return answer
        if answer.status_code in BUSY and not (once and answer.status_code == 503):  # its commit may have gone through
            raise _Retryable(refusal_of(answer), retry_after(answer))
        raise refusal_of(answer)

    async def ask_json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Send a request, and return the JSON object of its answer; AnswerNotUnderstood where the answer is none."""
        answer = await self.ask(method, path, **options)
        try:
            value = answer.json()
        except ValueError:
            raise AnswerNotUnderstood(self.url, f"the answer to {path} is not JSON") from None
        if not isinstance(value, dict):
            raise AnswerNotUnderstood(self.url, f"the answer to {path} is not a JSON object")
        return value

    @asynccontextmanager
    async def stream(
        self, path: str, accept: str, params: Mapping[str, Any] | None = None, *,
        headers: Mapping[str, str] | None = None, read_seconds: float = BEGINNING_SECONDS,
    ) -> AsyncIterator[LongAnswer]:  # fmt: skip
        """A long answer, read as it arrives. It is asked for until it begins, as by `ask`, and then not again.

        read_seconds: how long nothing may arrive. Raises Unreachable where no answer came, or it broke off;
        RefusedByService where the status is not 2xx.
        """
        asked = parameters_of(self._project, "GET", path, params or {})
        timeout = httpx.Timeout(read_seconds, connect=CONNECT_SECONDS)
        request = self._wire.http.build_request(
            "GET", self.url + path, params=asked, headers={"Accept": accept, **(headers or {})}, timeout=timeout
        )
        answer = await self._repeated(lambda: self._send(request, stream=True))
        try:
            wire = self._wire
            yield LongAnswer(answer.headers, lambda: wire.blocks(answer), lambda: wire.events(answer))
        except httpx.TransportError as error:
            raise Unreachable(self.url, description(error)) from None
        finally:
            await self._wire.end(answer)

    async def pause(self, seconds: float) -> None:
        """Wait, in the way of the Client."""
        await self._wire.pause(seconds)

    async def run(self, function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """Call what may block for long, such as a write to a disk: beside an event loop in a thread."""
        return await self._wire.run(function, *arguments, **named)

    async def close(self) -> None:
        """Close the connections that are kept open between requests."""
        await self._wire.close()
