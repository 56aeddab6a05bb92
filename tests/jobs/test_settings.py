"""The environment is checked at the start, and what is wrong ends a process with one line."""

import pytest

from gradyard.jobs.errors import SettingsInvalid
from gradyard.jobs.settings import load

OURS = ["redis://127.0.0.1:6379/0", "rediss://:secret@host:6380/1", "redis+socket:///run/redis.sock", ""]


@pytest.mark.parametrize("url", OURS)
def test_bells_come_through_a_redis(url: str) -> None:
    assert load(redis_url=url).broker == url


@pytest.mark.parametrize("url", [
    "sentinel://:secret@127.0.0.1:26379/0", "redis://127.0.0.1:6379/0;sentinel://:secret@127.0.0.1:26379",
    "SENTINEL://:secret@host", "memory://", "amqp://guest:secret@host", "kombu.transport.redis:SentinelTransport://host",
    "sentinel+socket://host", "127.0.0.1:6379",
])  # fmt: skip
def test_an_address_whose_messages_would_not_be_guarded_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load(redis_url=url)
    assert str(refused.value) == "REDIS_URL: must begin with redis://, rediss:// or redis+socket://"
