"""Counters that all processes of the API share in Redis; while Redis is away, each process counts for itself."""

import logging
from collections.abc import Callable
from threading import Lock, Thread
from typing import TypeVar

from limits.storage import MemoryStorage, RedisStorage, Storage
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from gradyard.broker.producer import Breaker

logger = logging.getLogger(__name__)

SCHEME = "gradyard"  # by which `limits` finds the class below
ANSWER_SECONDS = 0.05  # a request waits that long for a Redis that hangs, and those after it not at all
Answer = TypeVar("Answer")


class SharedCounters(Storage):
    """The counters of `limits`, as its fixed windows use them. No method raises where Redis is away, frozen or full.

    Of a Redis that was away no request asks whether it is back: a thread does, when the breaker's pause is over.
    """

    STORAGE_SCHEME = [SCHEME]

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, *, redis_url: str = "") -> None:
        super().__init__(uri, wrap_exceptions)
        self._breaker = Breaker()
        self._asking = Lock()
        self._own = MemoryStorage()
        self._redis = _redis_of(redis_url)

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the methods may raise: nothing."""
        return RedisError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter, which begins anew `expiry` seconds after its first addition; return what it has then."""
        return self._try(lambda counters: counters.incr(key, expiry, amount))

    def get(self, key: str) -> int:
        """What a counter has."""
        return self._try(lambda counters: counters.get(key))

    def get_expiry(self, key: str) -> float:
        """When a counter begins anew: seconds since 1970."""
        return self._try(lambda counters: counters.get_expiry(key))

    def check(self) -> bool:
        """Whether the counters can be used: always."""
        return True

    def reset(self) -> int | None:
        """Begin every counter anew."""
        return self._try(lambda counters: counters.reset())

    def clear(self, key: str) -> None:
        """Begin a counter anew."""
        self._try(lambda counters: counters.clear(key))

    def _try(self, act: Callable[[Storage], Answer]) -> Answer:
        if self._redis is None or self._is_away():
            return act(self._own)
        try:
            return act(self._redis)
        except (RedisError, OSError) as error:
            logger.warning("requests are counted in memory: %s: %s", type(error).__name__, error)
            if self._breaker.is_closed():  # of many requests that hang at once, the first one's failure counts
                self._breaker.failed()
            return act(self._own)

    def _is_away(self) -> bool:
        if self._breaker.is_half_open() and self._asking.acquire(blocking=False):
            Thread(target=self._ask_again, name="ask for Redis again", daemon=True).start()
            return True
        return not self._breaker.is_closed()

    def _ask_again(self) -> None:
        try:
            # It must take what is counted: a replica, or one at its memory limit, answers a ping as well.
            self._redis and self._redis.incr("asked", 1)
            self._breaker.worked()
        except (RedisError, OSError):
            self._breaker.failed()
        finally:
            self._asking.release()


def _redis_of(url: str) -> RedisStorage | None:
    waits = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS}
    try:
        return RedisStorage(url, key_prefix="gradyard:limits", retry=Retry(NoBackoff(), 0), **waits)  # type: ignore[arg-type]
    except ValueError as error:  # an address of a kind that only Celery knows
        logger.warning("requests are counted in memory: REDIS_URL: %s", error)
        return None
