"""Requests of the Client that follow a job or a batch until it has ended: streams, taken up again where they broke."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from typing import Any, Literal, TypeVar

import orjson
from httpx_sse import ServerSentEvent

from gradyard.client.base import BaseClient
from gradyard.client.definitions import K, iterates
from gradyard.client.errors import AnswerNotUnderstood, Unreachable
from gradyard.client.http.refusals import refusal_in_stream
from gradyard.client.identities import BatchLike, JobLike, batch_path, job_id, job_path
from gradyard.shapes import Batch, BatchMoves, BatchNow, CurvePart, Job, Move, Progress
from gradyard.shapes.base import Answer
from gradyard.shapes.live import EVENT_STREAM, MessageName

SILENT_SECONDS = 45.0  # the service says something every 15
AGAIN_SECONDS = 0.2  # until a stream that has ended too early is asked for again
SHORT_SECONDS = 1.0  # a stream that lasts less long, and tells nothing, is as good as none

JobEvent = Move | CurvePart | Progress | Job
"""What is told of a job; the job itself is the last."""
BatchEvent = Move | BatchNow | Batch
"""What is told of a batch; the batch itself is the last."""

E = TypeVar("E", bound=Answer)

OF_A_JOB: dict[str, type[Answer]] = {
    MessageName.MOVE: Move, MessageName.CURVE: CurvePart, MessageName.PROGRESS: Progress, MessageName.ENDED: Job,
}  # fmt: skip
OF_A_BATCH: dict[str, type[Answer]] = {
    MessageName.MOVES: BatchMoves, MessageName.COUNTS: BatchNow, MessageName.BATCH_ENDED: Batch,
}  # fmt: skip


class _NoStreams(Unreachable):
    """An older version answers, as beside a new one while versions change: the next one that is asked may be new."""


class WatchRequests(BaseClient[K]):
    """Follow jobs and batches."""

    @iterates
    async def watch(self, job: JobLike, *, points: int | Literal["all"] | None = None) -> AsyncIterator[JobEvent]:
        """What happens to the job, from its submission on and as it happens. The last one is the finished Job.

        Before that come each `Move` of its state, each new `CurvePart` (losses and metrics), and `Progress`. A part of
        a curve takes the place of what was known from its `from_step` on: a job may go back to an older checkpoint.
        points: at most so many losses in one part, of a longer range the first, last, lowest and highest of each
        interval; `all`: every loss. Default: 10,000. Where the connection breaks, or the service restarts, it goes on
        where it was. The connection is closed with the iterator.
        """
        params = {"points": points}
        async with aclosing(self._told(job_path(job) + "/events", OF_A_JOB, params)) as told:
            async for each in told:
                yield each  # type: ignore[misc]  # of the types in the table

    @iterates
    async def watch_jobs(
        self, jobs: Iterable[JobLike], *, points: int | Literal["all"] | None = None
    ) -> AsyncIterator[JobEvent]:  # fmt: skip
        """What happens to several jobs, 64 at most, over one connection. Of each job the last one is the finished Job.

        points: at most so many losses in one part of a curve; `all`: every loss. Default: 10,000. Where the connection
        breaks, or the service restarts, it goes on where it was. The connection is closed with the iterator.
        """
        ids = list(dict.fromkeys(map(job_id, jobs)))
        params = {"job": ids, "points": points}
        async with aclosing(self._told("/v1/events", OF_A_JOB, params, ends=len(ids))) as told:
            async for each in told:
                yield each  # type: ignore[misc]  # of the types in the table

    @iterates
    async def watch_batch(self, batch: BatchLike, *, moves: bool = True) -> AsyncIterator[BatchEvent]:
        """What happens to the batch, from its submission on and as it happens. The last one is the finished Batch.

        Before that come each `Move` of each of its jobs, those of one job in their order, and a `BatchNow`, now and at
        each change: how many jobs are in each state, and the best so far. moves: False leaves the moves out.
        Where the connection breaks, or the service restarts, it goes on where it was. The connection is closed with
        the iterator.
        """
        params = {} if moves else {"moves": "false"}
        async with aclosing(self._told(batch_path(batch) + "/events", OF_A_BATCH, params)) as told:
            async for each in told:
                if not isinstance(each, BatchMoves):
                    yield each  # type: ignore[misc]  # of the types in the table
                    continue
                for move in each.moves:
                    yield move

    async def _told(
        self, path: str, kinds: Mapping[str, type[Answer]], params: Mapping[str, Any], ends: int = 1
    ) -> AsyncGenerator[Answer, None]:  # fmt: skip
        """The answers in the messages of a stream, until so many of the last of these kinds; others are left out."""
        *_, last = kinds
        async with aclosing(self._messages(path, params)) as messages:
            async for message in messages:
                data = self._data(message)
                if message.event == MessageName.PROBLEM:
                    raise refusal_in_stream(data)
                if message.event in kinds:
                    yield self._one(kinds[message.event], data)
                ends -= message.event == last
                if not ends:
                    return

    async def _messages(self, path: str, params: Mapping[str, Any]) -> AsyncGenerator[ServerSentEvent, None]:
        """The messages of a stream without an end: it is asked for again, from the last message on, where it ends."""
        last_id, heard_at, broke = "", time.monotonic(), Unreachable(self.url, "it ended the stream too early")
        while True:
            began: float | None = None
            headers = {"Last-Event-ID": last_id} if last_id else {}
            try:
                async with self._transport.stream(
                    path, EVENT_STREAM, params, headers=headers, read_seconds=SILENT_SECONDS
                ) as answer:
                    self._check_type(answer.headers)
                    began = time.monotonic()
                    async with aclosing(answer.events()) as events:  # type: ignore[type-var]  # both are generators
                        async for event in events:
                            last_id = event.id or last_id
                            if event.data:  # every stream begins with `retry:`, which has none
                                heard_at = time.monotonic()
                                yield event
            except Unreachable as error:
                if began is None and not isinstance(error, _NoStreams):
                    raise
                broke = error
            now = time.monotonic()
            heard_at = now if began is not None and now - began > SHORT_SECONDS else heard_at
            if now - heard_at > self._connection.retry_seconds:
                raise broke
            await self._transport.pause(AGAIN_SECONDS)

    def _check_type(self, headers: Mapping[str, str]) -> None:
        if (kind := headers.get("Content-Type", "")).startswith("application/json"):
            raise _NoStreams(self.url, "an older version of the service answers; it has no streams")
        if not kind.startswith(EVENT_STREAM):
            raise AnswerNotUnderstood(self.url, "it sends no stream of events")

    def _data(self, message: ServerSentEvent) -> Any:
        try:
            return orjson.loads(message.data or b"null")
        except ValueError:
            raise AnswerNotUnderstood(self.url, f"a message {message.event} is not JSON") from None
