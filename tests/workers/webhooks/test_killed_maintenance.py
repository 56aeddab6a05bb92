"""Maintenance is killed while a message is under way: another process sends it once more, with the same id."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select, update

from gradyard.jobs.settings import Settings, without_keys
from gradyard.jobs.webhooks.events import OF_A_PROJECT
from gradyard.store.database import Database
from gradyard.store.tables import WebhookDelivery
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.stack.until import until
from tests.store.webhooks.webhooks_for_tests import notices, webhook_of
from tests.workers.webhooks.receivers import Receiver, receiving


@contextmanager
def maintenance(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    """A maintenance process of its own, which may send to this machine; killed at the end of the block."""
    environment = without_keys(os.environ) | {
        "DATABASE_URL": settings.database, "REDIS_URL": settings.broker, "GRADYARD_STATE_DIR": str(settings.state_dir),
        "GRADYARD_WEBHOOK_ALLOW": "http,127.0.0.0/8", "GRADYARD_MAINTENANCE_SECONDS": "0.1",
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "workers.maintenance"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def states(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(select(WebhookDelivery.state)).scalars())


@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True)
def test_a_message_whose_answer_was_not_noted_is_sent_again_with_its_id(database: Database, settings: Settings) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        arrived.set()
        go_on.wait(300)

    with receiving(Receiver(before=hold)) as receiver:
        webhook_of(database, OF_A_PROJECT, url=receiver.url)
        submitted(database, settings)
        succeeds(database, claimed(database, worker_of(database)))
        with maintenance(settings) as first:
            until(arrived.is_set)
            first.kill()
            first.wait()
        assert (states(database), notices(database)) == (["waiting"], [])
        go_on.set()
        with database.begin() as connection:  # as when its lease is over
            connection.execute(update(WebhookDelivery).values(next_at=WebhookDelivery.next_at - 1000))
        with maintenance(settings):
            until(lambda: states(database) == ["delivered"])
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1
