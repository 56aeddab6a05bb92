"""A worker is deaf when work waits that it could take, everything else answers, and no bell comes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gradyard.broker.producer import Bells
from gradyard.jobs.settings import Settings, load
from gradyard.store.database import Database
from tests.actors import submitted, worker_of
from tests.servers import RedisServer
from workers.celery_side.watchdog import Watchdog

DEAF_SECONDS = 0.2


@pytest.fixture
def deaf_soon(settings: Settings, database_url: str, redis_server: RedisServer) -> Settings:
    """Settings with a real Redis, under which a worker counts as deaf very soon."""
    return load(
        database_url=database_url, redis_url=redis_server.of(3), state_dir=settings.state_dir, admin_key=None,
        not_receiving_seconds=DEAF_SECONDS,
    )  # fmt: skip


@contextmanager
def watched(database: Database, settings: Settings) -> Iterator[tuple[Watchdog, list[str]]]:
    """A watchdog of an idle worker, and the restarts that it asked for."""
    restarts: list[str] = []
    bells = Bells(settings)
    watchdog = Watchdog(settings, worker_of(database), bells, lambda: restarts.append("restart"))
    yield watchdog, restarts
    watchdog.stop() if watchdog._thread.is_alive() else watchdog._database.close()
    bells.close()


def looks_twice(watchdog: Watchdog) -> bool:
    watchdog.look()
    time.sleep(DEAF_SECONDS * 1.5)
    return watchdog.look()


def test_work_that_waits_unheard_makes_it_deaf(database: Database, deaf_soon: Settings) -> None:
    with watched(database, deaf_soon) as (watchdog, _):
        assert not looks_twice(watchdog)
        submitted(database, deaf_soon)
        assert looks_twice(watchdog)


def test_one_that_hears_or_trains_is_not_deaf(database: Database, deaf_soon: Settings) -> None:
    submitted(database, deaf_soon)
    with watched(database, deaf_soon) as (watchdog, _):
        watchdog.heard(busy=True)
        assert not looks_twice(watchdog)
        watchdog.heard(busy=False)
        assert not watchdog.look()


def test_work_for_others_makes_nobody_deaf(database: Database, deaf_soon: Settings) -> None:
    submitted(database, deaf_soon, stage="tensor", device="gpu")
    with watched(database, deaf_soon) as (watchdog, _):
        assert not looks_twice(watchdog)


def test_without_redis_nobody_is_deaf(database: Database, deaf_soon: Settings, settings: Settings) -> None:
    submitted(database, deaf_soon)
    without = deaf_soon.model_copy(update={"redis_url": settings.redis_url})
    with watched(database, without) as (watchdog, _):
        assert not looks_twice(watchdog)


def test_a_deaf_one_restarts_once_in_a_while(database: Database, deaf_soon: Settings) -> None:
    submitted(database, deaf_soon)
    for expected in (["restart"], []):  # the second process of the slot finds that it was tried already
        with watched(database, deaf_soon) as (watchdog, restarts):
            watchdog.start()
            watchdog._thread.join(DEAF_SECONDS * 10)
            assert restarts == expected
