"""Messages are made of the outbox: one for each webhook that asks for what happened."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, select

from gradyard.jobs.identifiers import new_id
from gradyard.jobs.webhooks.events import OF_WORKERS, DeliveryState, WebhookEvent
from gradyard.jobs.webhooks.messages import Data, WebhookTest, body_of
from gradyard.store.bulk import insert_rows
from gradyard.store.dialects import advisory_lock, as_datetime, clock_of
from gradyard.store.tables import Batch, Project, Webhook, WebhookDelivery, WebhookNotice
from gradyard.store.webhooks.batch_ends import finished_batches
from gradyard.store.webhooks.contents import told
from gradyard.store.webhooks.spans import was_on

SLICE = 200  # notices of one transaction

_webhooks = select(*Webhook.__table__.columns)  # also those that are off by now: see `spans`
_any_notice = select(WebhookNotice.id).limit(1)
_oldest = select(*WebhookNotice.__table__.columns, Project.name.label("project")).outerjoin(
    Project, Project.id == WebhookNotice.project_id
)


def has_notices(connection: Connection) -> bool:
    """Whether something stands in the outbox."""
    return connection.execute(_any_notice).first() is not None


def make_messages(connection: Connection) -> int:
    """Make messages of the oldest notices in the outbox, and take these out. Returns how many notices it took.

    Of several processes one does it at a time. Those of a batch that is locked stay for the next time.
    """
    advisory_lock(connection, "the outbox of webhooks")
    notices: list[Any] = list(connection.execute(_oldest.order_by(WebhookNotice.id).limit(SLICE)))
    free = _lock_batches(connection, {each.batch_id for each in notices if each.ends_batch})
    taken = [each for each in notices if not each.ends_batch or each.batch_id in free]
    if taken:
        webhooks = list(connection.execute(_webhooks))
        _tell_each(connection, taken, webhooks)
        tell_batches(connection, free, webhooks)
        connection.execute(delete(WebhookNotice).where(WebhookNotice.id.in_([each.id for each in taken])))
    return len(taken)


def _lock_batches(connection: Connection, batch_ids: Collection[UUID]) -> set[UUID]:
    """Those of these batches that are not retried or deleted until the transaction ends; deleted ones are among them.

    So no job is added to a batch between the look that finds it finished and the message that says so.
    """
    wanted = select(Batch.id).where(Batch.id.in_(batch_ids)).order_by(Batch.id)
    there = set(connection.execute(wanted).scalars())
    locked = set(connection.execute(wanted.with_for_update(skip_locked=True)).scalars())
    return set(batch_ids) - (there - locked)


def tell_batches(
    connection: Connection, batch_ids: Collection[UUID], webhooks: Iterable[Row[Any]] | None = None
) -> None:
    """Make the messages of those of these batches that have finished, and were not told of yet. They are locked.

    To be called before new jobs come into a batch: from then on it is not seen any more that it had finished.
    """
    finished = finished_batches(connection, batch_ids)
    if finished and webhooks is None:
        webhooks = connection.execute(_webhooks).all()
    _store(connection, [
        _message(webhook, WebhookEvent.BATCH_FINISHED, end.at, end.batch)
        for end in finished for webhook in webhooks or ()
        if _asks(webhook, WebhookEvent.BATCH_FINISHED, end.notice, end.project_id)
    ])  # fmt: skip


def _tell_each(connection: Connection, notices: Sequence[Any], webhooks: Sequence[Row[Any]]) -> None:
    messages = []
    for notice in notices:
        event, data = told(notice)
        for webhook in webhooks:
            wanted = notice.batch_id is None or webhook.batch_members
            if wanted and _asks(webhook, event, notice.id, notice.project_id):
                messages.append(_message(webhook, event, notice.at, data))
    _store(connection, messages)


def _asks(webhook: Row[Any], event: WebhookEvent, notice: int, project_id: int | None) -> bool:
    """Whether the webhook asks for this event, and was on when it happened. Workers are of no project."""
    mine = event in OF_WORKERS or webhook.project_id == project_id
    return mine and event in webhook.events and was_on(webhook.spans, notice)


def store_test(connection: Connection, webhook: Row[Any]) -> UUID:
    """Make a message of the kind `webhook.test`. Returns its id."""
    data = WebhookTest(webhook=str(webhook.id), url=webhook.url)
    message = _message(webhook, WebhookEvent.WEBHOOK_TEST, clock_of(connection), data)
    _store(connection, [message])
    test_id: UUID = message["id"]
    return test_id


def _message(webhook: Row[Any], event: WebhookEvent, at: float, data: Data) -> dict[str, Any]:
    return {"id": new_id(), "webhook_id": webhook.id, "event": event, "body": body_of(event, as_datetime(at), data)}


def _store(connection: Connection, messages: Sequence[Mapping[str, Any]]) -> None:
    if messages:
        at = clock_of(connection)
        new = {"created_at": at, "next_at": at, "state": DeliveryState.WAITING, "tries": 0}
        insert_rows(connection, WebhookDelivery, [{**message, **new} for message in messages])
