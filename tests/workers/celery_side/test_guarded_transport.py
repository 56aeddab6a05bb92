"""What lies in Redis beside the queues: messages that were taken and not acknowledged."""

from collections.abc import Iterator

import pytest
import redis
from kombu import Connection

from tests.servers import RedisServer
from workers.celery_side.guarded_transport import Transport

REDIS_DATABASE = 14


@pytest.fixture
def broker(redis_server: RedisServer) -> Iterator["redis.Redis"]:
    """A client of an empty database."""
    with redis.Redis.from_url(redis_server.of(REDIS_DATABASE)) as client:
        client.flushdb()
        yield client


@pytest.mark.parametrize("text", ["no JSON", "null", "[]", "[1, 2, 3]", "[" * 200_000, b"\xff"])
def test_a_message_that_cannot_be_put_back_is_forgotten(
    redis_server: RedisServer, broker: "redis.Redis", text: str | bytes
) -> None:
    broker.zadd("unacked_index", {"a tag": 0.0})
    broker.hset("unacked", "a tag", text)
    with Connection(redis_server.of(REDIS_DATABASE), transport=Transport) as connection:
        connection.default_channel.qos.restore_visible(num=10, interval=1)
    assert (broker.hlen("unacked"), broker.zcard("unacked_index")) == (0, 0)
