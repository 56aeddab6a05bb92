"""The bell: a Celery message that tells a worker of a queue to look for work. It is a hint; the row is the truth.

So a bell that could not be rung costs time alone: maintenance rings again.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout

from gradyard.broker.celery_settings import celery_config
from gradyard.broker.message import bell_message
from gradyard.broker.writes import refusal_of
from gradyard.jobs.fleet import WORKER_QUEUES, Queue
from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.datasets import stored_dataset

logger = logging.getLogger(__name__)

MOST_WAITING = 256
"""Bells that wait in a queue, as many as slots may start at once. One that no worker hears yet says all that a further
one could: look for work. So a queue without workers stays small, however many jobs of `device: auto` ring for it."""


class Breaker:
    """A circuit breaker: what failed a moment ago is not tried.

    Open for `first_seconds` after a failure, twice as long after each further one, at most `most_seconds`. A success
    closes it.
    """

    def __init__(
        self, first_seconds: float = 1.0, most_seconds: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._first_seconds, self._most_seconds, self._clock = first_seconds, most_seconds, clock
        self._pause_seconds = self._until = 0.0

    def is_open(self) -> bool:
        """Whether to skip the action."""
        return self._clock() < self._until

    def is_closed(self) -> bool:
        """Whether the action has not failed since it succeeded."""
        return not self._pause_seconds

    def is_half_open(self) -> bool:
        """Whether the action failed, and the time to try it again has come."""
        return not self.is_closed() and not self.is_open()

    def failed(self) -> None:
        """Note that the action failed."""
        self._pause_seconds = min(self._most_seconds, 2 * self._pause_seconds or self._first_seconds)
        self._until = self._clock() + self._pause_seconds

    def worked(self) -> None:
        """Note that the action succeeded."""
        self._pause_seconds = self._until = 0.0


class Bells:
    """The bells of both queues, for all threads of one process; a forked child makes its own.

    No method raises where Redis is away, frozen or full. A ring takes at most about `settings.bell_timeout_seconds`,
    even behind a ring of another thread that hangs. While Redis is known to be away, rings are skipped. A ring is not
    added to `MOST_WAITING` bells that wait in its queue.
    """

    def __init__(self, settings: Settings, breaker: Breaker | None = None) -> None:
        self._settings = settings
        self._breaker = breaker or Breaker()
        # One connection for all threads: a ring takes half a millisecond, a thread's own first one 100.
        self._lock = threading.Lock()
        self._connection: Any = None  # of kombu, whose types do not know what a channel of Redis has
        self._celery = Celery("gradyard.bells", set_as_current=False)
        self._celery.config_from_object(celery_config(settings))
        # Kombu's own retries would sleep; our breaker decides when to try again.
        self._celery.conf.broker_transport_options |= {"max_retries": 0}

    def warm(self) -> None:
        """Connect and load what the first ring needs, so that no request waits for it."""
        self._exclusively(self._client)

    def ring(self, queue: str, job_id: UUID, spec: Mapping[str, Any]) -> bool:
        """Ring for one job: one bell of its queue, for `any` one of each. Returns whether all were rung."""
        message = {"job_id": str(job_id), "spec": _shown_spec(spec)}
        rings = [(name, message) for name in (WORKER_QUEUES if queue == Queue.ANY else (queue,))]
        return self._ring(rings) == len(rings)

    def ring_many(self, queue: str, count: int) -> int:
        """Ring the bell of the queue `count` times. Returns how many were rung."""
        return self._ring([(queue, {})] * count)

    def pass_on(self, queue: str, passed: int) -> bool:
        """Ring for another worker in place of this one. `passed`: how often the bell was passed on, with this time."""
        return self._ring([(queue, {"passed": passed})]) == 1

    def trouble(self) -> str | None:
        """What keeps Redis from taking a bell, in a few words; None where nothing does. Breaker or not, it asks.

        "takes no bells" is said of a replica, and of one at its memory limit.
        """
        try:
            with self._celery.connection_for_write() as connection:
                return refusal_of(connection.default_channel.client)
        except Exception:
            return "does not answer"

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._drop()

    def _ring(self, rings: list[tuple[str, dict[str, Any]]]) -> int:
        rung = 0
        for queue, message in rings:
            rung += self._exclusively(partial(self._send, queue, message))
        return rung

    def _exclusively(self, act: Callable[[], object]) -> bool:
        if self._breaker.is_open() or not self._lock.acquire(timeout=self._settings.bell_timeout_seconds):
            return False
        try:
            if self._breaker.is_open():  # the ring before this one failed
                return False
            self._try(act)
            self._breaker.worked()
            return True
        except Exception as error:  # of any kind: the job is stored, and the request goes on
            logger.warning("no bell was rung: %s: %s", type(error).__name__, error)
            self._breaker.failed()
            self._drop()
            return False
        finally:
            self._lock.release()

    def _try(self, act: Callable[[], object]) -> None:
        had_one = self._connection is not None
        try:
            act()
        except (OperationalError, RedisError, OSError) as error:
            if not had_one or _timed_out(error):
                raise
            self._drop()  # Redis may have restarted: a new connection may work
            act()

    def _client(self) -> Redis:
        if self._connection is None:
            self._connection = self._celery.connection_for_write()
        client: Redis = self._connection.default_channel.client
        return client

    def _send(self, queue: str, message: dict[str, Any]) -> None:
        client, shown = self._client(), message.get("job_id", "")
        # Not by `send_task`, which takes twice as long, and does not return how many bells wait.
        if client.lpush(queue, bell_message(queue, str(uuid4()), message, shown)) > MOST_WAITING:
            client.ltrim(queue, -MOST_WAITING, -1)  # the oldest: no worker listens now, and each that will finds one

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # a broken connection may raise here
                connection.release()


def _timed_out(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, RedisTimeout | TimeoutError):
        error = error.__cause__
    return error is not None


def _shown_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The spec as people see it in Redis or Flower: of inline points only their number."""
    return {**spec, "dataset": stored_dataset(spec["dataset"]).summary()} if "dataset" in spec else dict(spec)
