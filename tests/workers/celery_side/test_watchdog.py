"""A worker is not receiving when claimable work waits, everything else answers, and no bell comes."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gradyard.broker.producer import Bells
from gradyard.jobs.settings import Settings, load
from gradyard.store.database import Database
from tests.actors import submitted, worker_of
from tests.servers import RedisServer
from workers.celery_side.watchdog import Watchdog

NOT_RECEIVING_SECONDS = 60.0


@pytest.fixture
def in_a_minute(settings: Settings, database_url: str, redis_server: RedisServer) -> Settings:
    """Settings with a real Redis, under which a worker counts as not receiving after a minute."""
    return load(
        database_url=database_url, redis_url=redis_server.of(3), state_dir=settings.state_dir, admin_key=None,
        not_receiving_seconds=NOT_RECEIVING_SECONDS, bell_timeout_seconds=60.0,
    )  # fmt: skip


@contextmanager
def watched(database: Database, settings: Settings) -> Iterator[tuple[Watchdog, list[str]]]:
    """A watchdog of an idle worker, and the restarts that it asked for."""
    restarts: list[str] = []
    bells = Bells(settings)
    watchdog = Watchdog(settings, worker_of(database), database, bells, lambda: restarts.append("restart"))
    yield watchdog, restarts
    watchdog.stop() if watchdog._thread.is_alive() else watchdog._database.close()
    bells.close()


def not_receiving(watchdog: Watchdog) -> bool:
    """As of the second of two looks, one and a half times the seconds later; the watchdog's clocks are put back."""
    watchdog.not_receiving()
    watchdog._heard_at -= NOT_RECEIVING_SECONDS * 1.5
    if watchdog._work_since is not None:
        watchdog._work_since -= NOT_RECEIVING_SECONDS * 1.5
    return watchdog.not_receiving()


def test_a_worker_without_bells_while_work_waits_is_not_receiving(database: Database, in_a_minute: Settings) -> None:
    with watched(database, in_a_minute) as (watchdog, _):
        assert not not_receiving(watchdog)
        submitted(database, in_a_minute)
        assert not_receiving(watchdog)


def test_a_worker_that_hears_or_trains_is_receiving(database: Database, in_a_minute: Settings) -> None:
    submitted(database, in_a_minute)
    with watched(database, in_a_minute) as (watchdog, _):
        watchdog.heard(busy=True)
        assert not not_receiving(watchdog)
        watchdog.heard(busy=False)
        assert not watchdog.not_receiving()


def test_work_that_it_cannot_claim_does_not_count(database: Database, in_a_minute: Settings) -> None:
    submitted(database, in_a_minute, stage="tensor", device="gpu")
    with watched(database, in_a_minute) as (watchdog, _):
        assert not not_receiving(watchdog)


def test_a_worker_without_redis_is_not_restarted(database: Database, in_a_minute: Settings, settings: Settings) -> None:
    submitted(database, in_a_minute)
    without = in_a_minute.model_copy(update={"redis_url": settings.redis_url})
    with watched(database, without) as (watchdog, _):
        assert not not_receiving(watchdog)


def test_a_worker_that_is_not_receiving_restarts_once_in_a_while(database: Database, in_a_minute: Settings) -> None:
    submitted(database, in_a_minute)
    soon = in_a_minute.model_copy(update={"not_receiving_seconds": 0.2})
    for expected in (["restart"], []):  # the second process of the slot was started by the first restart
        with watched(database, soon) as (watchdog, restarts):
            watchdog.start()
            watchdog._thread.join(120.0 if expected else 2.0)  # it ends with the restart
            assert restarts == expected
