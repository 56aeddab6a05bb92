"""A worker is not receiving when claimable work waits, everything else answers, and no bell comes."""

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

NOT_RECEIVING_SECONDS = 0.2


@pytest.fixture
def soon(settings: Settings, database_url: str, redis_server: RedisServer) -> Settings:
    """Settings with a real Redis, under which a worker counts as not receiving very soon."""
    return load(
        database_url=database_url, redis_url=redis_server.of(3), state_dir=settings.state_dir, admin_key=None,
        not_receiving_seconds=NOT_RECEIVING_SECONDS,
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


def not_receiving(watchdog: Watchdog) -> bool:
    """As of the second of two looks."""
    watchdog.not_receiving()
    time.sleep(NOT_RECEIVING_SECONDS * 1.5)
    return watchdog.not_receiving()


def test_a_worker_without_bells_while_work_waits_is_not_receiving(database: Database, soon: Settings) -> None:
    with watched(database, soon) as (watchdog, _):
        assert not not_receiving(watchdog)
        submitted(database, soon)
        assert not_receiving(watchdog)


def test_a_worker_that_hears_or_trains_is_receiving(database: Database, soon: Settings) -> None:
    submitted(database, soon)
    with watched(database, soon) as (watchdog, _):
        watchdog.heard(busy=True)
        assert not not_receiving(watchdog)
        watchdog.heard(busy=False)
        assert not watchdog.not_receiving()


def test_work_that_it_cannot_claim_does_not_count(database: Database, soon: Settings) -> None:
    submitted(database, soon, stage="tensor", device="gpu")
    with watched(database, soon) as (watchdog, _):
        assert not not_receiving(watchdog)


def test_a_worker_without_redis_is_not_restarted(database: Database, soon: Settings, settings: Settings) -> None:
    submitted(database, soon)
    without = soon.model_copy(update={"redis_url": settings.redis_url})
    with watched(database, without) as (watchdog, _):
        assert not not_receiving(watchdog)


def test_a_worker_that_is_not_receiving_restarts_once_in_a_while(database: Database, soon: Settings) -> None:
    submitted(database, soon)
    for expected in (["restart"], []):  # the second process of the slot was started by the first restart
        with watched(database, soon) as (watchdog, restarts):
            watchdog.start()
            watchdog._thread.join(NOT_RECEIVING_SECONDS * 10)
            assert restarts == expected
