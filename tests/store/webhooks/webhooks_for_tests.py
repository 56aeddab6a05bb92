"""Webhooks of tests, and what stands in the messages for them."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Row, select

from gradyard.jobs.webhooks.events import OF_A_PROJECT, WebhookEvent
from gradyard.jobs.webhooks.requests import WebhookRequest
from gradyard.jobs.webhooks.signing import new_secret
from gradyard.store.database import Database
from gradyard.store.tables import WebhookDelivery, WebhookNotice
from gradyard.store.webhooks import registry
from gradyard.store.webhooks.messages import make_messages

SECRET = new_secret()


def webhook_of(
    database: Database, events: Sequence[WebhookEvent] = OF_A_PROJECT, *, url: str = "https://example.org/",
    project_id: int = 1, batch_members: bool = True,
) -> Row[Any]:  # fmt: skip
    """Make a webhook for these events, with the secret SECRET."""
    asked = WebhookRequest(url=url, events=list(events), batch_members=batch_members)
    with database.begin() as connection:
        made = registry.create_webhook(connection, project_id, asked, SECRET, actor="test")
        return registry.webhook_by_id(connection, project_id, made)


def notices(database: Database) -> list[Row[Any]]:
    """What stands in the outbox."""
    with database.read() as connection:
        return list(connection.execute(select(*WebhookNotice.__table__.columns).order_by(WebhookNotice.id)))


def told(database: Database) -> list[tuple[str, dict[str, Any]]]:
    """The kind and the data of every message so far, the oldest first. What stands in the outbox is told before."""
    while True:
        with database.begin() as connection:
            if not make_messages(connection):
                break
    with database.read() as connection:
        bodies = connection.execute(select(WebhookDelivery.body).order_by(WebhookDelivery.id)).scalars()
        messages = [orjson.loads(body) for body in bodies]
    return [(message["type"], message["data"]) for message in messages]
