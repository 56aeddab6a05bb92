"""Messages that are forgotten after a time, and those of deleted webhooks, in slices.

They are found without the lock of writers, and only what was found is deleted under it.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, and_, delete, select

from gradyard.store.database import Database
from gradyard.store.dialects import now
from gradyard.store.tables import Webhook, WebhookDelivery
from gradyard.store.webhooks.claims import IS_WAITING
from gradyard.store.webhooks.spans import switch_off

SLICE = 500  # rows of one transaction
MOST_WAITING = 100_000  # of one webhook; one that has more is switched off

_ids = select(WebhookDelivery.id)
_of_no_webhook = ~select(Webhook.id).where(Webhook.id == WebhookDelivery.webhook_id).exists()
_ended = ~IS_WAITING


def forget_messages(database: Database, days: float, most: int) -> Iterator[None]:
    """Delete messages that are older, those of deleted webhooks, and of each webhook all that ended but the newest.

    most: how many that have ended a webhook keeps. It stops after each short transaction.
    """
    old = WebhookDelivery.created_at < now() - 86_400 * days
    yield from _forget(database, _ids.where(old))
    yield from _forget(database, _ids.where(_of_no_webhook))
    with database.read() as connection:
        webhooks = list(connection.execute(select(Webhook.id)).scalars())
    for webhook_id in webhooks:
        mine = and_(WebhookDelivery.webhook_id == webhook_id, _ended)
        with database.read() as connection:
            beyond = _ids.where(mine).order_by(WebhookDelivery.id.desc()).offset(most).limit(1)
            newest_beyond = connection.execute(beyond).scalar()
        if newest_beyond is not None:
            yield from _forget(database, _ids.where(mine, WebhookDelivery.id <= newest_beyond))
        yield from _switch_off(database, webhook_id)


def _forget(database: Database, look: Select[Any]) -> Iterator[None]:
    while True:
        with database.read() as connection:
            found = list(connection.execute(look.limit(SLICE)).scalars())
        if not found:
            return
        with database.begin() as connection:
            connection.execute(delete(WebhookDelivery).where(WebhookDelivery.id.in_(found)))
        yield


def _switch_off(database: Database, webhook_id: Any) -> Iterator[None]:
    """Switch a webhook off that has far too many messages waiting."""
    waiting = WebhookDelivery.webhook_id == webhook_id, IS_WAITING
    with database.read() as connection:
        too_many = connection.execute(_ids.where(*waiting).offset(MOST_WAITING).limit(1)).first() is not None
    if too_many:
        with database.begin() as connection:
            switch_off(connection, webhook_id, f"more than {MOST_WAITING:,} messages wait for it")
        yield
