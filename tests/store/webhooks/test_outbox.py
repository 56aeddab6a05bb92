"""What happened goes into the outbox in its own transaction, and each webhook gets one message of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import select, text, update

from gradyard.jobs.fleet import HoldKind
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.questions.read import question
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason
from gradyard.jobs.webhooks.events import OF_A_PROJECT, OF_WORKERS, WebhookEvent
from gradyard.jobs.webhooks.messages import DATA_OF, MOST_LETTERS
from gradyard.store import fleet, lifecycle
from gradyard.store.database import Database
from gradyard.store.dialects import clock_of
from gradyard.store.fleet.workers import WorkerInfo
from gradyard.store.lifecycle.actions.asked import AskedJobs
from gradyard.store.lifecycle.actions.cancel import cancel_part
from gradyard.store.tables import Webhook, WebhookDelivery
from gradyard.store.webhooks.notices import lost_workers, note_lost
from gradyard.store.webhooks.registry import change_webhook
from tests.actors import claimed, expires, fails, submitted, succeeds, worker_of
from tests.store.one_job import DEEDS, queued_job, running_job
from tests.store.test_batches import stored
from tests.store.webhooks.webhooks_for_tests import notices, told, webhook_of

TWO = {"jobs": [{"stage": "tensor", "steps": 4, "seed": seed} for seed in range(2)], "name": "pair"}


def kinds(database: Database) -> list[str]:
    return [kind for kind, _ in told(database)]


def test_a_job_that_succeeded_is_told_as_it_was_at_its_end(database: Database, settings: Settings) -> None:
    webhook_of(database)
    job = submitted(database, settings, name="mine", tags={"course": "w3"})
    succeeds(database, claimed(database, worker_of(database)))
    with database.begin() as connection:
        lifecycle.delete_job(connection, 1, job)
    ((kind, data),) = told(database)
    assert kind == "job.succeeded"
    assert (data["id"], data["name"], data["tags"], data["project"]) == (str(job), "mine", {"course": "w3"}, "default")
    assert (data["steps"], data["steps_done"], data["loss_last"], data["loss_min"]) == (4, 4, 1.0, 1.0)
    assert (data["state"], data["reason"], data["batch"]) == ("succeeded", None, None)
    assert data["submitted_at"] <= data["started_at"] <= data["finished_at"]
    assert notices(database) == []


def test_the_message_of_a_failure_is_cut(database: Database, settings: Settings) -> None:
    webhook_of(database)
    submitted(database, settings)
    member = claimed(database, worker_of(database)).members[0]
    with database.begin() as connection:
        assert lifecycle.fail(connection, member.held, Reason.ERROR, "x" * 9999, actor="worker")
    ((kind, data),) = told(database)
    assert (kind, data["reason"], len(data["message"])) == ("job.failed", "error", MOST_LETTERS)


ENDS: dict[str, tuple[str, bool]] = {  # the message, and whether the job runs before
    "succeed": ("job.succeeded", True), "fail": ("job.failed", True), "let go": ("job.cancelled", True),
    "cancel": ("job.cancelled", False), "cancel over its head": ("job.cancelled", True),
}  # fmt: skip


@pytest.mark.parametrize("deed", ENDS)
def test_each_end_of_a_job_is_told_once(database: Database, settings: Settings, deed: str) -> None:
    webhook_of(database)
    kind, runs = ENDS[deed]
    one = running_job(database, settings, marked=True) if runs else queued_job(database, settings)
    with database.begin() as connection:
        DEEDS[deed](connection, one)
    assert kinds(database) == [kind]
    assert kinds(database) == [kind]


def test_a_marked_job_whose_worker_is_lost_is_told_as_cancelled(database: Database, settings: Settings) -> None:
    webhook_of(database)
    running_job(database, settings, marked=True)
    with database.begin() as connection:
        assert expires(connection) == 1
    assert kinds(database) == ["job.cancelled"]


def test_all_jobs_of_a_question_that_are_cancelled_are_told(database: Database, settings: Settings) -> None:
    webhook_of(database)
    ids = [submitted(database, settings, seed=seed) for seed in range(3)]
    asked = AskedJobs(1, question('state == "queued"'), new_id(), "test")
    with database.begin() as connection:
        assert len(cancel_part(connection, asked, ids, wait=True).cancelled) == 3
    assert kinds(database) == ["job.cancelled"] * 3


def test_an_end_that_is_rolled_back_is_not_told(database: Database, settings: Settings) -> None:
    webhook_of(database)
    job = submitted(database, settings)
    with database.begin() as connection:
        lifecycle.request_cancel(connection, job, actor="test")
        connection.rollback()
    assert notices(database) == []
    assert told(database) == []


def test_an_end_by_an_older_version_is_told(database: Database, settings: Settings) -> None:
    webhook_of(database)
    submitted(database, settings)
    with database.begin() as connection:
        connection.execute(text("UPDATE jobs SET state = 'cancelled', finished_at = 2e9 WHERE state = 'queued'"))
    assert kinds(database) == ["job.cancelled"]


def test_moves_that_are_no_end_are_not_told(database: Database, settings: Settings) -> None:
    webhook_of(database)
    queued_job(database, settings)  # submitted, claimed, recorded, handed back
    assert notices(database) == []


def test_nothing_is_written_where_the_project_has_no_webhook(database: Database, settings: Settings) -> None:
    with database.begin() as connection:
        connection.execute(text("INSERT INTO projects (id, name) VALUES (2, 'other')"))
    webhook_of(database, project_id=2)
    off = webhook_of(database)
    with database.begin() as connection:
        change_webhook(connection, off.id, {"enabled": False})
    submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    assert notices(database) == []


def test_a_webhook_gets_what_it_asks_for_from_when_it_was_made(database: Database, settings: Settings) -> None:
    webhook_of(database, [WebhookEvent.JOB_FAILED])
    submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    webhook_of(database, [WebhookEvent.JOB_SUCCEEDED])  # made before the outbox was looked at
    assert told(database) == []
    submitted(database, settings)
    fails(database, claimed(database, worker_of(database)))
    assert kinds(database) == ["job.failed"]


def switched(database: Database, webhook: Any, *, on: bool) -> None:
    with database.begin() as connection:
        change_webhook(connection, webhook.id, {"enabled": on})


def ends(database: Database, settings: Settings, seed: int) -> str:
    job = submitted(database, settings, seed=seed)
    with database.begin() as connection:
        lifecycle.request_cancel(connection, job, actor="test")
    return str(job)


def test_a_webhook_is_told_although_the_clock_was_set_back_after_it_was_made(
    database: Database, settings: Settings
) -> None:
    webhook = webhook_of(database)
    with database.begin() as connection:
        connection.execute(update(Webhook).values(created_at=webhook.created_at + 3600))
    ends(database, settings, 1)
    assert kinds(database) == ["job.cancelled"]


def test_what_happened_while_a_webhook_was_on_is_told_and_nothing_else(database: Database, settings: Settings) -> None:
    first, other = webhook_of(database), webhook_of(database)
    mine = []
    for seed, on in enumerate((True, False, True, True, False, True)):
        switched(database, first, on=on)
        job = ends(database, settings, seed)
        mine += [job] if on else []
    switched(database, first, on=False)
    told(database)
    assert told_to(database, first) == mine
    assert len(told_to(database, other)) == 6


def test_a_webhook_that_was_made_while_the_outbox_was_full_is_told_of_what_comes_after_it_was_emptied(
    database: Database, settings: Settings
) -> None:
    webhook_of(database)
    for seed in range(3):
        ends(database, settings, seed)
    later = webhook_of(database)
    told(database)
    assert told_to(database, later) == []
    job = ends(database, settings, 9)  # the outbox was empty in between
    told(database)
    assert told_to(database, later) == [job]


def told_to(database: Database, webhook: Any) -> list[str]:
    query = select(WebhookDelivery.body).where(WebhookDelivery.webhook_id == webhook.id).order_by(WebhookDelivery.id)
    with database.read() as connection:
        return [orjson.loads(body)["data"]["id"] for body in connection.execute(query).scalars()]


def test_jobs_of_batches_are_told_only_where_that_is_asked_for(database: Database, settings: Settings) -> None:
    webhook_of(database, batch_members=False)
    stored(database, TWO)
    submitted(database, settings, steps=5)
    succeeds(database, claimed(database, worker_of(database)))
    succeeds(database, claimed(database, worker_of(database)), [1.0] * 5)
    assert sorted(kinds(database)) == ["batch.finished", "job.succeeded"]


def test_a_lost_worker_is_told_once_for_each_lease(database: Database) -> None:
    webhook_of(database, OF_WORKERS)
    worker = worker_of(database, lease=-1.0)
    assert tell_lost(database) == 1
    assert tell_lost(database) == 0
    with database.begin() as connection:
        fleet.register(connection, worker, -2.0)  # it came back, and was lost again
    assert tell_lost(database) == 1
    (kind, data), (again, _) = told(database)
    assert (kind, again) == ("worker.lost", "worker.lost")
    assert (data["slot"], data["host"], data["queue"], data["pid"]) == ("cpu-0", "host", "cpu", 1)


def tell_lost(database: Database) -> int:
    with database.begin() as connection:
        moment = clock_of(connection)
        return note_lost(connection, lost_workers(connection, moment), detail="silent", as_of=moment)


def test_a_live_worker_and_one_that_stopped_are_not_lost(database: Database) -> None:
    webhook_of(database, OF_WORKERS)
    worker_of(database)
    stopped = worker_of(database, "cpu-1")
    with database.begin() as connection:
        fleet.retire(connection, stopped.id)
    assert tell_lost(database) == 0


def test_a_dead_process_of_a_slot_is_told_when_the_next_one_finds_it(database: Database) -> None:
    webhook_of(database, OF_WORKERS)
    dead = worker_of(database)
    with database.begin() as connection:
        lifecycle.hand_back_slot(connection, replace(dead, id=new_id()))
    ((kind, data),) = told(database)
    assert kind == "worker.lost"
    assert "found it dead" in data["detail"]


def by_an_operator(database: Database, worker: WorkerInfo) -> None:
    with database.begin() as connection:
        fleet.hold(connection, HoldKind.SLOT, str(worker.address), actor="api", reason="a new fan")


def by_itself(database: Database, worker: WorkerInfo) -> None:
    with database.begin() as connection:
        fleet.drain_device(connection, worker, "a new fan")


@pytest.mark.parametrize("drain", [by_an_operator, by_itself])
def test_a_drain_is_told_once_while_it_lasts(database: Database, drain: Callable[..., None]) -> None:
    webhook_of(database, OF_WORKERS)
    worker = worker_of(database)
    for _ in range(2):
        drain(database, worker)
    ((kind, data),) = told(database)
    assert (kind, data["kind"], data["name"], data["reason"]) == ("worker.drained", "slot", "cpu-0@host", "a new fan")


def test_a_paused_queue_is_no_drain(database: Database) -> None:
    webhook_of(database, OF_WORKERS)
    with database.begin() as connection:
        fleet.hold(connection, HoldKind.QUEUE, "cpu", actor="api")
    assert notices(database) == []


def test_each_kind_of_message_has_its_data() -> None:
    assert set(DATA_OF) == set(WebhookEvent) == {*OF_A_PROJECT, *OF_WORKERS, WebhookEvent.WEBHOOK_TEST}
