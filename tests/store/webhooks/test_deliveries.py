"""Messages are claimed, tried again after a while, and given up; a webhook that accepts nothing is switched off."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Row, select, text, update

from gradyard.jobs.webhooks import schedule
from gradyard.jobs.webhooks.schedule import MOST_ASKED_SECONDS, MOST_TRIES, RETRY_SECONDS, SWITCHED_OFF_SECONDS
from gradyard.store.database import Database
from gradyard.store.dialects import clock_of
from gradyard.store.tables import Webhook, WebhookDelivery
from gradyard.store.upkeep import clock_steps
from gradyard.store.webhooks import deliveries, old_messages, registry
from gradyard.store.webhooks.claims import (
    IN_PARALLEL,
    LEASE_SECONDS,
    MOST_OF_A_PROJECT,
    TRIES_AT_ONCE,
    UNDER_WAY_SECONDS,
    Try,
    any_due,
    claim_due,
)
from gradyard.store.webhooks.deliveries import Answered
from gradyard.store.webhooks.messages import store_test
from tests.store.webhooks.webhooks_for_tests import SECRET, webhook_of

FINE, NO = Answered(204, "", None, 0.1), Answered(500, "no\0", "it answered 500", 0.1)


def messages(database: Database, webhook: Row[Any], count: int = 1) -> list[Any]:
    with database.begin() as connection:
        return [store_test(connection, webhook) for _ in range(count)]


def claims(database: Database, most: int = 99) -> list[Try]:
    with database.begin() as connection:
        return claim_due(connection, most)


def note(database: Database, tried: Try, answered: Answered) -> None:
    with database.begin() as connection:
        deliveries.note_answer(connection, tried, answered)


def row(database: Database, table: Any, row_id: Any) -> Row[Any]:
    with database.read() as connection:
        return connection.execute(select(*table.__table__.columns).where(table.id == row_id)).one()


def set_back(database: Database, seconds: float) -> None:
    """Let all be so much older: what was due after that time is due now."""
    columns = {
        WebhookDelivery: ("created_at", "next_at", "tried_at"),
        Webhook: ("created_at", "failing_since", "paused_until"),
    }  # fmt: skip
    with database.begin() as connection:
        for table, names in columns.items():
            older = {name: getattr(table, name) - seconds for name in names}
            connection.execute(update(table).values(older))


def test_a_message_is_claimed_once_and_not_again_after_it_was_delivered(database: Database) -> None:
    webhook = webhook_of(database, url="https://example.org/hook")
    (made,) = messages(database, webhook)
    (tried,) = claims(database)
    assert (tried.id, tried.url, tried.secrets, tried.number) == (made, "https://example.org/hook", (SECRET,), 1)
    assert claims(database) == []
    note(database, tried, FINE)
    set_back(database, 10 * LEASE_SECONDS)
    assert claims(database) == []
    stored = row(database, WebhookDelivery, made)
    assert (stored.state, stored.status, stored.tries, stored.error) == ("delivered", 204, 1, None)


def test_a_claim_of_a_process_that_vanished_ends_with_its_lease(database: Database) -> None:
    (made,) = messages(database, webhook_of(database))
    (lost,) = claims(database)
    set_back(database, LEASE_SECONDS + 1)
    (again,) = claims(database)
    assert (again.id, again.number) == (made, 2)
    note(database, lost, NO)  # it comes late, and is another's message by now
    assert row(database, WebhookDelivery, made).lease == again.lease
    note(database, lost, FINE)  # but this one has been accepted
    assert row(database, WebhookDelivery, made).state == "delivered"


def test_ten_tries_follow_the_schedule_and_the_message_is_given_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = (600.0, *RETRY_SECONDS[1:])  # the first must not end before the test has looked
    monkeypatch.setattr(schedule, "RETRY_SECONDS", pauses)
    webhook = webhook_of(database)
    (made,) = messages(database, webhook)
    for number in range(1, MOST_TRIES + 1):
        (tried,) = claims(database)
        assert tried.number == number
        note(database, tried, NO)
        stored = row(database, WebhookDelivery, made)
        assert (stored.status, stored.answer, stored.error, stored.tries) == (500, "no", "it answered 500", number)
        if number == MOST_TRIES:
            break
        with database.read() as connection:
            pause = stored.next_at - clock_of(connection)
        least = pauses[number - 1]
        assert least - 60 < pause <= 1.1 * least
        assert claims(database) == []
        set_back(database, pause + 1)
    assert (stored.state, stored.next_at) == ("failed", None)
    assert claims(database) == []


def test_a_webhook_that_accepts_nothing_for_three_days_is_switched_off_and_says_so(database: Database) -> None:
    webhook = webhook_of(database)
    made, other = messages(database, webhook, 2)
    (first,) = claims(database, 1)
    note(database, first, NO)
    set_back(database, SWITCHED_OFF_SECONDS + 100)
    (second, *_) = claims(database)
    note(database, second, NO)
    off = row(database, Webhook, webhook.id)
    assert not off.enabled
    assert off.disabled_because == "no message was accepted for 3 days; at last it answered 500"
    set_back(database, SWITCHED_OFF_SECONDS)
    assert claims(database) == []
    assert {row(database, WebhookDelivery, each).state for each in (made, other)} == {"waiting"}
    with database.begin() as connection:
        registry.change_webhook(connection, webhook.id, {"enabled": True})
    (tried,) = claims(database, 1)
    note(database, tried, NO)
    assert row(database, Webhook, webhook.id).enabled, "it starts afresh"


def test_a_success_between_failures_keeps_a_webhook_on(database: Database) -> None:
    webhook = webhook_of(database)
    for answered in (NO, FINE, NO):
        messages(database, webhook)
        set_back(database, SWITCHED_OFF_SECONDS)
        tried = claims(database)[-1]
        note(database, tried, answered)
    assert row(database, Webhook, webhook.id).enabled


def test_a_receiver_that_is_gone_for_good_switches_its_webhook_off(database: Database) -> None:
    webhook = webhook_of(database)
    messages(database, webhook)
    (tried,) = claims(database)
    note(database, tried, Answered(410, "", "it answered 410", 0.1))
    assert row(database, Webhook, webhook.id).disabled_because == "its receiver answered 410 Gone"


def test_a_webhook_that_fails_pauses_and_then_gets_one_message_at_a_time(database: Database) -> None:
    webhook = webhook_of(database)
    messages(database, webhook, 9)
    first = claims(database)
    assert len(first) == IN_PARALLEL
    for tried in first:
        note(database, tried, NO)
    assert claims(database) == []
    set_back(database, 60)
    assert len(claims(database)) == 1
    with database.begin() as connection:
        deliveries.end_pause(connection, webhook.id)
    assert claims(database) == [], "one is under way"


def test_webhooks_with_fewer_tries_under_way_come_first(database: Database) -> None:
    busy, idle = webhook_of(database), webhook_of(database)
    messages(database, busy, 9)
    assert len(claims(database, 3)) == 3
    messages(database, idle)
    assert [each.webhook_id for each in claims(database, 2)] == [idle.id, busy.id]


def test_each_webhook_gets_a_first_try_before_another_gets_a_second(database: Database) -> None:
    webhooks = [webhook_of(database) for _ in range(4)]
    for webhook in webhooks:
        messages(database, webhook, 9)
    assert {each.webhook_id for each in claims(database, 4)} == {webhook.id for webhook in webhooks}


def test_a_project_leaves_half_of_the_tries_to_others(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("INSERT INTO projects (id, name) VALUES (2, 'other')"))
    for _ in range(20):
        messages(database, webhook_of(database), 2)
    other = webhook_of(database, project_id=2)
    assert len(claims(database, TRIES_AT_ONCE)) == MOST_OF_A_PROJECT
    messages(database, other)
    assert [each.webhook_id for each in claims(database, TRIES_AT_ONCE)] == [other.id]


def test_tries_of_all_processes_count_until_they_end_or_their_process_is_gone(database: Database) -> None:
    webhook = webhook_of(database)
    messages(database, webhook, 9)
    assert len(claims(database)) == IN_PARALLEL
    assert claims(database) == [], "as another process"
    set_back(database, UNDER_WAY_SECONDS + 1)
    assert len(claims(database)) == IN_PARALLEL


def test_a_message_that_is_being_sent_is_not_sent_again_and_its_failure_counts(database: Database) -> None:
    webhook = webhook_of(database)
    (made,) = messages(database, webhook)
    for failures in (1, 2):
        with database.begin() as connection:
            deliveries.end_pause(connection, webhook.id)
        (tried,) = claims(database)
        with database.begin() as connection:
            assert deliveries.send_again(connection, webhook.id, made)
        assert claims(database) == []
        note(database, tried, NO)
        assert row(database, Webhook, webhook.id).failures == failures
        set_back(database, RETRY_SECONDS[failures])


def test_a_clock_that_was_set_back_makes_no_pause_longer(database: Database) -> None:
    webhook = webhook_of(database)
    made = messages(database, webhook, 2)
    (tried, _) = claims(database)
    note(database, tried, NO)
    set_back(database, -10 * 86_400)
    with database.read() as connection:
        at = clock_of(connection)
        assert clock_steps.left_in_the_future(connection, at, 30.0, jobs_too=True)
    with database.begin() as connection:
        clock_steps.cut_short(connection, at, 30.0)
    with database.read() as connection:
        assert not clock_steps.left_in_the_future(connection, at, 30.0, jobs_too=True)
    pauses = {each.lease is None: each.next_at - at for each in (row(database, WebhookDelivery, one) for one in made)}
    assert 0 < pauses[True] <= 1.1 * RETRY_SECONDS[0] + 0.01
    assert pauses[False] <= LEASE_SECONDS + 0.01
    assert row(database, Webhook, webhook.id).paused_until - at <= 60.01


BUSY = Answered(503, "", "it answered 503", 0.1, asked_seconds=900.0)


def test_a_receiver_that_asks_for_a_pause_gets_no_message_before_its_end(database: Database) -> None:
    webhook = webhook_of(database)
    made, _ = messages(database, webhook, 2)
    tried, _ = claims(database)
    note(database, tried, BUSY)
    messages(database, webhook)
    with database.read() as connection:
        at = clock_of(connection)
        assert not clock_steps.left_in_the_future(connection, at, 30.0, jobs_too=True), "no clock was set back"
    pauses = row(database, WebhookDelivery, made).next_at - at, row(database, Webhook, webhook.id).paused_until - at
    assert all(800 < pause <= 900 for pause in pauses)
    set_back(database, 700)
    assert claims(database) == []
    set_back(database, 210)
    (tried,) = claims(database)
    note(database, tried, Answered(429, "", "it answered 429", 0.1, asked_seconds=0.0))
    later = row(database, WebhookDelivery, tried.id)
    least = RETRY_SECONDS[later.tries - 1]
    with database.read() as connection:
        assert later.next_at - clock_of(connection) > least - 60, "never sooner than without it"


def test_a_pause_that_was_asked_for_is_cut_where_the_clock_was_set_back(database: Database) -> None:
    webhook = webhook_of(database)
    (made,) = messages(database, webhook)
    (tried,) = claims(database)
    note(database, tried, BUSY)
    set_back(database, -10 * 86_400)
    with database.begin() as connection:
        at = clock_of(connection)
        clock_steps.cut_short(connection, at, 30.0)
        assert not clock_steps.left_in_the_future(connection, at, 30.0, jobs_too=True)
    assert row(database, WebhookDelivery, made).next_at - at <= MOST_ASKED_SECONDS + 0.01
    assert row(database, Webhook, webhook.id).paused_until - at <= MOST_ASKED_SECONDS + 0.01


def test_a_try_is_signed_by_the_clock_of_the_database(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    messages(database, webhook_of(database))
    monkeypatch.setattr(time, "time", lambda: 0.0)  # that of this host is wrong
    (tried,) = claims(database)
    with database.read() as connection:
        assert abs(tried.now() - clock_of(connection)) < 60


def test_two_processes_claim_each_message_once(database: Database) -> None:
    for _ in range(4):
        messages(database, webhook_of(database), 8)

    def claim(_: int) -> list[Any]:
        mine = list[Any]()
        while tries := claims(database, 8):
            for each in tries:
                note(database, each, FINE)
            mine += [each.id for each in tries]
        return mine

    with ThreadPoolExecutor(4) as threads:
        claimed = [each for ids in threads.map(claim, range(4)) for each in ids]
    assert len(claimed) == len(set(claimed)) == 32


def test_a_message_that_is_sent_again_has_its_id_and_all_its_tries(database: Database) -> None:
    webhook = webhook_of(database)
    (made,) = messages(database, webhook)
    (tried,) = claims(database)
    note(database, tried, FINE)
    with database.begin() as connection:
        assert deliveries.send_again(connection, webhook.id, made)
        assert not deliveries.send_again(connection, uuid4(), made), "of another webhook"
    (again,) = claims(database)
    assert (again.id, again.body, again.number) == (made, tried.body, 1)


def test_a_rotated_secret_signs_beside_the_old_one_until_its_time_is_over(database: Database) -> None:
    webhook = webhook_of(database)
    for overlap, expected in ((24.0, ("whsec_new", SECRET)), (0.0, ("whsec_newer",))):
        with database.begin() as connection:
            registry.rotate_secret(connection, webhook.id, expected[0], overlap)
        messages(database, webhook)
        assert claims(database)[-1].secrets == expected
    with database.begin() as connection:
        registry.rotate_secret(connection, webhook.id, "whsec_newest", -1.0)  # as after its end
    messages(database, webhook)
    assert claims(database)[-1].secrets == ("whsec_newest",)


def test_nothing_is_due_where_nothing_is(database: Database) -> None:
    webhook = webhook_of(database)
    with database.read() as connection:
        assert not any_due(connection)
    messages(database, webhook)
    with database.read() as connection:
        assert any_due(connection)
        assert deliveries.waiting_figures(connection)[0] == 1


def forgotten(database: Database, most: int = 1000) -> None:
    for _ in old_messages.forget_messages(database, days=30.0, most=most):
        pass


def test_old_messages_and_those_of_deleted_webhooks_are_forgotten(database: Database) -> None:
    kept, deleted = webhook_of(database), webhook_of(database)
    old = messages(database, kept)
    set_back(database, 31 * 86_400)
    young = messages(database, kept)
    messages(database, deleted, 3)
    with database.begin() as connection:
        registry.delete_webhook(connection, deleted.id)
    assert old != young
    forgotten(database)
    with database.read() as connection:
        assert list(connection.execute(select(WebhookDelivery.id)).scalars()) == young


def test_of_each_webhook_the_newest_messages_that_ended_are_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_messages, "SLICE", 2)
    webhook = webhook_of(database)
    made = messages(database, webhook, IN_PARALLEL)
    for tried in claims(database):
        note(database, tried, FINE)
    made += messages(database, webhook)  # waits
    forgotten(database, most=1)
    with database.read() as connection:
        assert list(connection.execute(select(WebhookDelivery.id).order_by(WebhookDelivery.id)).scalars()) == made[-2:]


def test_a_webhook_for_which_far_too_many_messages_wait_is_switched_off(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_messages, "MOST_WAITING", 3)
    webhook = webhook_of(database)
    messages(database, webhook, 3)
    forgotten(database)
    assert row(database, Webhook, webhook.id).enabled
    messages(database, webhook)
    forgotten(database)
    assert row(database, Webhook, webhook.id).disabled_because == "more than 3 messages wait for it"
