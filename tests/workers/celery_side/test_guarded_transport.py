"""Bells that were taken and not acknowledged lie in no list of Redis that a stranger could write to."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from kombu import Connection
from kombu import Queue as KombuQueue

from gradyard.broker.message import bell_message
from gradyard.jobs.fleet import Queue
from tests.servers import RedisServer
from workers.celery_side.app import app

REDIS_DATABASE = 14


@pytest.fixture
def broker(redis_server: RedisServer) -> Iterator["redis.Redis"]:
    """A client of an empty database."""
    with redis.Redis.from_url(redis_server.of(REDIS_DATABASE)) as client:
        client.flushdb()
        yield client


@pytest.fixture
def consumer(redis_server: RedisServer) -> Iterator[Connection]:
    """A connection of Celery's main process, to the database of these tests."""
    with app.connection_for_read(redis_server.of(REDIS_DATABASE)) as connection:
        yield connection


def taken(consumer: Connection, count: int) -> list[Any]:
    """Messages that were taken from the queue and not acknowledged yet."""
    found: list[Any] = []
    queue = KombuQueue(Queue.CPU.value)
    with consumer.Consumer(queue, callbacks=[lambda body, message: found.append(message)], accept=["json"]):
        while len(found) < count:
            consumer.drain_events(timeout=60)
    return found


def ring(broker: "redis.Redis", count: int) -> None:
    for _ in range(count):
        broker.lpush(Queue.CPU.value, bell_message(Queue.CPU.value, str(uuid4()), {}, ""))


def test_bells_that_were_taken_are_put_back_by_a_process_that_stops(
    consumer: Connection, broker: "redis.Redis"
) -> None:
    ring(broker, 3)
    first, *_ = taken(consumer, 3)
    assert broker.llen(Queue.CPU.value) == 0
    first.ack()
    consumer.default_channel.close()
    assert broker.llen(Queue.CPU.value) == 2


def test_a_redis_that_takes_no_bell_back_stops_no_process_that_stops(
    consumer: Connection, broker: "redis.Redis", caplog: pytest.LogCaptureFixture
) -> None:
    ring(broker, 2)
    taken(consumer, 2)
    broker.set(Queue.CPU.value, "no list any more")
    consumer.default_channel.close()
    assert caplog.text.count("was not put back") == 2


def test_nothing_is_kept_in_redis_of_bells_that_were_taken(consumer: Connection, broker: "redis.Redis") -> None:
    ring(broker, 2)
    taken(consumer, 2)
    assert broker.keys("unacked*") == []
