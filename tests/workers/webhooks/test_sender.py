"""From the end of a job to a receiver: by the sender of maintenance, to real servers."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import orjson
import pytest
from sqlalchemy import Row, select, update
from standardwebhooks.webhooks import Webhook as Verifier

from gradyard.jobs.settings import Settings
from gradyard.jobs.webhooks import schedule
from gradyard.jobs.webhooks.events import OF_A_PROJECT, OF_WORKERS
from gradyard.store import queries
from gradyard.store.database import Database
from gradyard.store.dialects import clock_of
from gradyard.store.tables import Webhook, WebhookDelivery
from gradyard.store.webhooks import deliveries
from gradyard.store.webhooks.messages import store_test
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.stack.until import until
from tests.store.webhooks.webhooks_for_tests import SECRET, notices, webhook_of
from tests.workers.webhooks.receivers import Receiver, receiving
from workers.maintenance import Maintenance
from workers.webhooks import sender as sending
from workers.webhooks.sender import WebhookSender

Make = Callable[[], WebhookSender]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"webhook_allow": "http, 127.0.0.0/8", "maintenance_seconds": 0.02})


@pytest.fixture
def sender(settings: Settings) -> Iterator[Make]:
    """Starts senders of this test's settings."""
    started: list[WebhookSender] = []

    def start() -> WebhookSender:
        started.append(WebhookSender(settings, "maintenance@here"))
        started[-1].start()
        return started[-1]

    yield start
    for each in started:
        each.stop()


def states(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(select(WebhookDelivery.state).order_by(WebhookDelivery.id)).scalars())


def counted(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {row.name: row.total for row in queries.counters(connection) if row.name.startswith("webhook")}


def has_failed(database: Database, tries: int) -> bool:
    return counted(database).get("webhook_tries_failed") == tries


def due_again(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(update(WebhookDelivery).where(WebhookDelivery.state == "waiting").values(next_at=0.0))
        connection.execute(update(Webhook).values(paused_until=None))


def test_a_busy_receiver_that_asks_for_a_pause_gets_it(database: Database, settings: Settings, sender: Make) -> None:
    with receiving(Receiver([429, 204], {"Retry-After": "600"})) as receiver:
        webhook = webhook_of(database, OF_A_PROJECT, url=receiver.url)
        with database.begin() as connection:
            store_test(connection, webhook)
        sender()
        until(lambda: has_failed(database, 1))
        with database.read() as connection:
            waits = select(WebhookDelivery.next_at - WebhookDelivery.tried_at, Webhook.paused_until)
            told: Any = connection.execute(waits.join(Webhook, Webhook.id == webhook.id)).one()
            pause, paused_until = told
            paused = paused_until - clock_of(connection)
        assert 600 <= pause < 700
        assert 500 < paused <= 600
        due_again(database)
        until(lambda: states(database) == ["delivered"])


def test_the_end_of_a_job_reaches_its_receiver(database: Database, settings: Settings, sender: Make) -> None:
    with receiving(Receiver()) as receiver:
        webhook_of(database, OF_A_PROJECT, url=receiver.url)
        job = submitted(database, settings)
        succeeds(database, claimed(database, worker_of(database)))
        sender()
        until(lambda: states(database) == ["delivered"])
    ((headers, body),) = receiver.received
    message = Verifier(SECRET).verify(body, headers)
    assert (message["type"], message["data"]["id"]) == ("job.succeeded", str(job))
    assert counted(database) == {"webhooks_delivered": 1}


def test_a_message_that_was_refused_comes_again_with_the_same_id(
    database: Database, settings: Settings, sender: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "RETRY_SECONDS", (600.0, *schedule.RETRY_SECONDS[1:]))  # each try is seen
    with receiving(Receiver([500, 503, 204])) as receiver:
        send_test(database, webhook_of(database, url=receiver.url))
        sender()
        for tries in (1, 2):
            until(partial(has_failed, database, tries))
            due_again(database)
        until(lambda: states(database) == ["delivered"])
    assert len(receiver.ids) == 3
    assert len(set(receiver.ids)) == 1
    assert counted(database) == {"webhooks_delivered": 1, "webhook_tries_failed": 2}


def send_test(database: Database, webhook: Row[Any], count: int = 1) -> None:
    with database.begin() as connection:
        for _ in range(count):
            store_test(connection, webhook)


def test_a_slow_receiver_holds_up_no_other(database: Database, settings: Settings, sender: Make) -> None:
    go_on = threading.Event()
    with receiving(Receiver(before=lambda: go_on.wait(300))) as slow, receiving(Receiver()) as quick:
        send_test(database, webhook_of(database, url=slow.url), 20)
        send_test(database, webhook_of(database, url=quick.url), 20)
        working = sender()
        until(lambda: len(quick.received) == 20)
        until(lambda: states(database).count("delivered") == 20)
        assert not working.hangs()
        go_on.set()
        until(lambda: states(database).count("delivered") == 40)


def test_two_hosts_send_each_message_once(database: Database, settings: Settings, sender: Make) -> None:
    with receiving(Receiver()) as receiver:
        webhook_of(database, OF_A_PROJECT, url=receiver.url)
        for seed in range(20):
            submitted(database, settings, seed=seed)
        sender(), sender()
        succeeds(database, claimed(database, worker_of(database)))
        until(lambda: states(database) == ["delivered"] * 20)
    assert len(receiver.ids) == len(set(receiver.ids)) == 20


def test_a_lost_worker_and_a_drain_reach_an_operator(
    database: Database, settings: Settings, sender: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.clock_watch.ClockWatch.is_even", lambda *_: True)  # it has watched for a lease
    with receiving(Receiver()) as receiver:
        webhook_of(database, OF_WORKERS, url=receiver.url)
        worker_of(database, lease=-1.0)
        maintenance = Maintenance(settings)
        for _ in range(3):
            maintenance.tick()
        maintenance.close()
        sender()
        until(lambda: receiver.received)
    assert [orjson.loads(body)["type"] for _, body in receiver.received] == ["worker.lost"]


def test_a_database_that_is_away_for_a_while_loses_nothing(
    database: Database, settings: Settings, sender: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, broken = deliveries.note_answer, threading.Event()

    def note(*given: Any) -> None:
        if not broken.is_set():
            broken.set()
            raise OSError("it is away")
        real(*given)

    monkeypatch.setattr(deliveries, "note_answer", note)
    with receiving(Receiver()) as receiver:
        send_test(database, webhook_of(database, url=receiver.url))
        sender()
        until(lambda: states(database) == ["delivered"])
    assert len(receiver.received) == 1


def test_a_stop_notes_the_answers_that_come_soon(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "STOP_SECONDS", 600.0)
    with receiving(Receiver()) as receiver:
        send_test(database, webhook_of(database, url=receiver.url), 4)
        working = WebhookSender(settings, "maintenance@here")
        working.start()
        until(lambda: receiver.received)
        working.stop()
    assert set(states(database)) <= {"delivered", "waiting"}
    assert states(database).count("delivered") == len(receiver.received)


def test_a_thread_that_has_ended_no_round_for_a_minute_hangs(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = WebhookSender(settings, "maintenance@here")
    assert not idle.hangs()
    monkeypatch.setattr(sending, "HUNG_SECONDS", -1.0)
    assert idle.hangs()


def test_what_no_webhook_asks_for_leaves_the_outbox(database: Database, settings: Settings, sender: Make) -> None:
    webhook_of(database, OF_WORKERS)  # of the same project
    submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    assert len(notices(database)) == 1
    sender()
    until(lambda: not notices(database))
    assert states(database) == []
