"""Messages are claimed for a try: who is next, so that slow receivers hold up no other.

A claim is a lease: while it lasts no other process sends the message. One that is killed between its try and the note
of it leaves a message that is sent once more, with the same id.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, bindparam, func, literal_column, or_, select, update

from gradyard.jobs.identifiers import new_id
from gradyard.jobs.webhooks.events import DeliveryState
from gradyard.store.dialects import advisory_lock, clock_of
from gradyard.store.tables import Webhook, WebhookDelivery

LEASE_SECONDS = 120.0  # longer than any try: a look-up of a name, and then as long as an answer may take
TRIES_AT_ONCE = 32  # under way in one process
MOST_OF_A_PROJECT = TRIES_AT_ONCE // 2  # in all processes, so that others have places left in each
IN_PARALLEL = 4  # tries of one webhook, in all processes; of one that fails, a single one
UNDER_WAY_SECONDS = 30.0  # after which a try is no longer taken to be under way: a process may have been killed

# A literal: the planners take a partial index only where the words of its condition stand in the query as they are.
IS_WAITING: ColumnElement[bool] = WebhookDelivery.state == literal_column(f"'{DeliveryState.WAITING}'")
_FREE = or_(Webhook.paused_until.is_(None), Webhook.paused_until <= bindparam("at"))
_due = (IS_WAITING, WebhookDelivery.next_at <= bindparam("at"))
_its_due = WebhookDelivery.webhook_id == Webhook.id, *_due
_webhooks_due = select(
    Webhook.id, Webhook.project_id, Webhook.failures,
    select(func.min(WebhookDelivery.next_at)).where(*_its_due).scalar_subquery().label("oldest"),
).where(Webhook.enabled, _FREE, select(WebhookDelivery.id).where(*_its_due).exists())  # fmt: skip
_is_leased = (
    WebhookDelivery.lease.is_not(None),
    WebhookDelivery.next_at.between(bindparam("at"), bindparam("at") + LEASE_SECONDS + 1.0),
)
_tries_under_way = (
    select(WebhookDelivery.webhook_id, Webhook.project_id, func.count().label("tries"))
    .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
    .where(IS_WAITING, *_is_leased, WebhookDelivery.tried_at > bindparam("at") - UNDER_WAY_SECONDS)
    .group_by(WebhookDelivery.webhook_id, Webhook.project_id)
)
_due_of = (
    select(*WebhookDelivery.__table__.columns, Webhook.url, Webhook.secret, Webhook.earlier_secret,
           Webhook.earlier_until)
    .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
    .where(WebhookDelivery.webhook_id == bindparam("of_webhook"), *_due)
    .order_by(WebhookDelivery.next_at, WebhookDelivery.id).limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=WebhookDelivery)
)  # fmt: skip


@dataclass(frozen=True)
class Try:
    """A try of a message that is about to be made: the message, its webhook, and the secrets that sign it."""

    id: UUID
    webhook_id: UUID
    body: str
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    lease: UUID
    number: int  # of the try, from 1
    at: float  # by the database's clock: that of this host may be wrong, and receivers refuse old signatures
    claimed_at: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        """The time by the database's clock."""
        return self.at + time.monotonic() - self.claimed_at


def claim_due(connection: Connection, most: int) -> list[Try]:
    """Claim up to `most` messages that are due. Of several processes one does it at a time."""
    advisory_lock(connection, "tries of webhooks")
    at, tries = clock_of(connection), list[Try]()
    while more := _claim(connection, at, most - len(tries)):  # again where a webhook had fewer than were allotted
        tries += more
    return tries


def _claim(connection: Connection, at: float, most: int) -> list[Try]:
    tries = list[Try]()
    for webhook_id, count in _allotted(connection, at, most).items():
        rows = connection.execute(_due_of, {"at": at, "of_webhook": webhook_id, "most": count}).all()
        tries += [_lease(connection, row, at) for row in rows]
    return tries


def _allotted(connection: Connection, at: float, most: int) -> Counter[UUID]:
    """How many tries may begin, by webhook. The next one is of the webhook with the fewest under way."""
    of_webhook, of_project, allotted = Counter[UUID](), Counter[int](), Counter[UUID]()
    for webhook_id, project_id, tries in connection.execute(_tries_under_way, {"at": at}):
        of_webhook[webhook_id] = tries
        of_project[project_id] += tries
    due = list(connection.execute(_webhooks_due, {"at": at}))
    while allotted.total() < most:
        free = [
            webhook for webhook in due
            if of_webhook[webhook.id] < (1 if webhook.failures else IN_PARALLEL)
            and of_project[webhook.project_id] < MOST_OF_A_PROJECT
        ]  # fmt: skip
        if not free:
            break
        first = min(free, key=lambda webhook: (of_webhook[webhook.id], webhook.oldest))
        for counter, key in ((allotted, first.id), (of_webhook, first.id), (of_project, first.project_id)):
            counter[key] += 1
    return allotted


def any_due(connection: Connection) -> bool:
    """Whether a message is due; this only reads, so a quiet database is never locked for nothing."""
    return connection.execute(_webhooks_due.limit(1), {"at": clock_of(connection)}).first() is not None


def _lease(connection: Connection, row: Any, at: float) -> Try:
    lease, mine = new_id(), update(WebhookDelivery).where(WebhookDelivery.id == row.id)
    connection.execute(mine.values(lease=lease, next_at=at + LEASE_SECONDS, tries=row.tries + 1, tried_at=at))
    earlier = row.earlier_secret if (row.earlier_until or 0.0) > at else None
    secrets = tuple(each for each in (row.secret, earlier) if each)
    return Try(row.id, row.webhook_id, row.body, row.url, secrets, lease, row.tries + 1, at)
