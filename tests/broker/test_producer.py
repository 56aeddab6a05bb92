"""The producer rings the bell, and a request never waits for a Redis that does not answer."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from gradyard.broker.celery_settings import celery_config
from gradyard.broker.producer import MOST_WAITING, Bells, Breaker
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings, load
from gradyard.jobs.specs.datasets import FunctionData
from tests.service.redis_for_tests import RedisForTests
from tests.stack.until import until

SPEC = {"stage": "tensor", "dataset": FunctionData().summary()}


@pytest.fixture
def redis() -> Iterator[RedisForTests]:
    with RedisForTests.running() as server:
        yield server


@pytest.fixture
def settings(redis: RedisForTests) -> Settings:
    return load(redis_url=redis.url, bell_timeout_seconds=60.0)


@pytest.fixture
def bells(settings: Settings) -> Iterator[Bells]:
    bells = Bells(settings, Breaker(first_seconds=0.1, most_seconds=0.2))
    yield bells
    bells.close()


@pytest.fixture
def bells_of_half_a_second(redis: RedisForTests) -> Iterator[Bells]:
    """Bells that wait for Redis for half a second, as by default."""
    bells = Bells(load(redis_url=redis.url), Breaker(first_seconds=0.1, most_seconds=0.2))
    yield bells
    bells.close()


@pytest.fixture
def bells_of_a_frozen_redis(
    redis: RedisForTests, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Bells, list[object]]]:
    """Bells whose Redis has frozen by now, and what they tried since. After a failure they try nothing more."""
    tried, send, breaker = list[object](), Bells._send, Breaker(first_seconds=600.0, most_seconds=600.0)
    bells = Bells(load(redis_url=redis.url), breaker)
    bells.warm()
    redis.freeze()
    breaker.worked()  # it failed where Redis was slow

    def noted(bells: Bells, queue: str, message: dict[str, Any]) -> None:
        tried.append(message)
        send(bells, queue, message)

    monkeypatch.setattr(Bells, "_send", noted)
    yield bells, tried
    redis.thaw()
    bells.close()


def kwargs_of(raw: bytes) -> Any:
    message = json.loads(raw)
    assert message["headers"]["task"] == "gradyard.train"
    assert message["content-type"] == "application/json"
    return json.loads(base64.b64decode(message["body"]))[1]


def test_a_bell_names_the_job_and_its_spec(bells: Bells, redis: RedisForTests) -> None:
    job_id: UUID = new_id()
    assert bells.ring("gpu", job_id, SPEC)
    [message] = redis.messages("gpu")
    assert kwargs_of(message) == {"job_id": str(job_id), "spec": SPEC}


def test_a_job_of_any_queue_rings_both(bells: Bells, redis: RedisForTests) -> None:
    assert bells.ring("any", new_id(), SPEC)
    assert len(redis.messages("cpu")) == len(redis.messages("gpu")) == 1


def test_many_bells_ring_without_a_job(bells: Bells, redis: RedisForTests) -> None:
    assert bells.ring_many("cpu", 3) == 3
    assert [kwargs_of(message) for message in redis.messages("cpu")] == [{}, {}, {}]


def test_bells_that_no_worker_hears_do_not_pile_up(bells: Bells, redis: RedisForTests) -> None:
    for _ in range(5_000):
        assert bells.ring("any", new_id(), SPEC)
    assert len(redis.messages("gpu")) == len(redis.messages("cpu")) == MOST_WAITING


def test_a_bell_that_waited_makes_room_for_the_next(bells: Bells, redis: RedisForTests) -> None:
    assert bells.ring_many("gpu", MOST_WAITING + 1) == MOST_WAITING + 1
    redis.take("gpu")
    assert bells.ring_many("gpu", 2) == 2
    assert len(redis.messages("gpu")) == MOST_WAITING


def test_a_bell_does_not_carry_the_points_of_a_request(bells: Bells, redis: RedisForTests) -> None:
    points = {"kind": "inline", "x": [1.0] * 500, "y": [2.0] * 500}
    assert bells.ring("cpu", new_id(), {"stage": "nn", "dataset": points})
    [message] = redis.messages("cpu")
    assert kwargs_of(message)["spec"]["dataset"] == {"kind": "inline", "points": 500}


def test_a_bell_rings_after_a_flush(bells: Bells, redis: RedisForTests) -> None:
    assert bells.ring("cpu", new_id(), SPEC)
    redis.flush()
    assert bells.ring("cpu", new_id(), SPEC)
    assert len(redis.messages("cpu")) == 1


def test_a_warm_bell_rings_at_once(bells: Bells) -> None:
    bells.warm()
    connection = bells._connection
    assert connection is not None
    assert bells.ring("cpu", new_id(), SPEC)
    assert bells._connection is connection


def test_redis_away_costs_no_time_and_no_exception(bells: Bells, redis: RedisForTests) -> None:
    redis.kill()
    begin = time.monotonic()
    assert not bells.ring("cpu", new_id(), SPEC)
    assert time.monotonic() - begin < 30, "nothing is waited for"
    assert bells.ring_many("cpu", 2) == 0
    assert bells.trouble() == "does not answer"


def test_a_frozen_redis_costs_half_a_second_once(bells_of_a_frozen_redis: tuple[Bells, list[object]]) -> None:
    bells, tried = bells_of_a_frozen_redis
    begin = time.monotonic()
    assert not bells.ring("cpu", new_id(), SPEC)
    assert 0.4 < time.monotonic() - begin < 60
    assert not bells.ring("cpu", new_id(), SPEC)
    assert len(tried) == 1, "it is not waited for again"


def test_those_behind_a_hanging_ring_wait_no_longer_than_it(
    bells_of_a_frozen_redis: tuple[Bells, list[object]],
) -> None:
    bells, tried = bells_of_a_frozen_redis
    threads = [threading.Thread(target=bells.ring, args=("any", new_id(), SPEC)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tried) == 1, "not one after the other"


def test_a_frozen_redis_does_not_answer_for_longer_than_half_a_second(
    bells_of_half_a_second: Bells, redis: RedisForTests
) -> None:
    redis.freeze()
    begin = time.monotonic()
    assert bells_of_half_a_second.trouble() == "does not answer"
    assert time.monotonic() - begin < 60
    redis.thaw()
    until(lambda: bells_of_half_a_second.trouble() is None)


REPLICA = "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "takes no bells, as it is a read-only replica"
FULL = "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "takes no bells, as its memory is full"


@pytest.mark.parametrize(("way", "back", "why"), [REPLICA, FULL])
def test_a_redis_that_takes_no_writes_is_in_trouble(
    bells: Bells, redis: RedisForTests, way: str, back: str, why: str
) -> None:
    assert bells.trouble() is None
    redis.command(way)
    assert bells.trouble() == why
    begin = time.monotonic()
    assert not bells.ring("cpu", new_id(), SPEC)
    assert time.monotonic() - begin < 30, "nothing is waited for"
    redis.command(back)
    until(lambda: bells.trouble() is None)
    until(lambda: bells.ring("cpu", new_id(), SPEC))
    waiting = redis.messages("cpu")
    assert bells.trouble() is None
    assert redis.messages("cpu") == waiting, "the look itself leaves nothing"


@pytest.mark.parametrize("way", ["killed", "frozen"])
def test_bells_ring_again_when_redis_is_back(bells_of_half_a_second: Bells, redis: RedisForTests, way: str) -> None:
    until(lambda: bells_of_half_a_second.ring("cpu", new_id(), SPEC))
    redis.kill() if way == "killed" else redis.freeze()
    assert not bells_of_half_a_second.ring("cpu", new_id(), SPEC)
    redis.start() if way == "killed" else redis.thaw()
    until(lambda: bells_of_half_a_second.ring("cpu", new_id(), SPEC))


def test_a_restart_between_two_rings_goes_unnoticed(bells: Bells, redis: RedisForTests) -> None:
    assert bells.ring("cpu", new_id(), SPEC)
    redis.kill()
    redis.start()
    assert bells.ring("cpu", new_id(), SPEC)
    assert len(redis.messages("cpu")) == 1


def test_threads_share_the_bells(bells: Bells, redis: RedisForTests) -> None:
    threads = [threading.Thread(target=bells.ring_many, args=("cpu", 25)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(redis.messages("cpu")) == 200


def test_the_breaker_skips_for_longer_each_time_up_to_its_most() -> None:
    now = 0.0
    breaker = Breaker(first_seconds=1, most_seconds=10, clock=lambda: now)
    pauses = []
    for _ in range(6):
        breaker.failed()
        begin = now
        while breaker.is_open():
            now += 0.5
        pauses.append(now - begin)
    assert pauses == [1, 2, 4, 8, 10, 10]
    breaker.worked()
    breaker.failed()
    now += 1
    assert not breaker.is_open()


def test_both_sides_of_the_bell_speak_json_alone(settings: Settings) -> None:
    config = celery_config(settings)
    assert config["accept_content"] == ["json"]
    assert [queue.name for queue in config["task_queues"]] == ["cpu", "gpu"]
    assert "broker_pool_limit" not in config  # Flower shows nothing with a small one
