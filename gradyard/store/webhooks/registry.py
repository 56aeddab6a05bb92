"""Webhooks are made, changed, given new secrets and deleted."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from gradyard.jobs.errors import NotFound, TooManyWebhooks, WebhookOff
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.webhooks.requests import WebhookRequest
from gradyard.store.dialects import now
from gradyard.store.queries.cursors import page_by
from gradyard.store.queries.jobs import cursor_after, id_in
from gradyard.store.tables import Project, Webhook, WebhookDelivery
from gradyard.store.webhooks.spans import first_span, switch_off, switch_on

MOST_OF_A_PROJECT = 20

_SECRETS = ("secret", "earlier_secret")
_shown = [each for each in Webhook.__table__.columns if each.name not in _SECRETS]
_webhooks: Select[Any] = select(*_shown, Project.name.label("project")).join(Project, Project.id == Webhook.project_id)


def create_webhook(
    connection: Connection, project_id: int, asked: WebhookRequest, secret: str, *, actor: str
) -> UUID:  # fmt: skip
    """Store a new webhook. Raises TooManyWebhooks where the project has MOST_OF_A_PROJECT of them."""
    connection.execute(select(Project.id).where(Project.id == project_id).with_for_update())  # one counts at a time
    there = select(func.count()).select_from(Webhook).where(Webhook.project_id == project_id)
    if connection.execute(there).scalar_one() >= MOST_OF_A_PROJECT:
        raise TooManyWebhooks(f"the project has {MOST_OF_A_PROJECT} webhooks; delete one of them first")
    row = asked.model_dump(mode="json", exclude={"secret"})
    row |= {"id": new_id(), "project_id": project_id, "secret": secret, "created_at": now(), "created_by": actor[:200],
            "enabled": True, "spans": first_span(connection), "failures": 0}  # fmt: skip
    connection.execute(insert(Webhook).values(row))
    made: UUID = row["id"]
    return made


def change_webhook(connection: Connection, webhook_id: UUID, changes: Mapping[str, Any]) -> None:
    """Set these columns. One that is switched on starts afresh: its failures are forgotten."""
    afresh = {"failures": 0, "failing_since": None, "paused_until": None}
    values: dict[str, Any] = {name: value for name, value in changes.items() if name != "enabled"}
    if changes.get("enabled"):
        switch_on(connection, webhook_id)
    elif "enabled" in changes:
        switch_off(connection, webhook_id, "it was switched off by hand")
    if changes.get("enabled") or "url" in changes:
        values |= afresh
    if values:
        connection.execute(update(Webhook).where(Webhook.id == webhook_id).values(values))


def rotate_secret(connection: Connection, webhook_id: UUID, secret: str, overlap_hours: float) -> None:
    """Let messages be signed by a new secret, and for the overlap by the present one as well."""
    earlier: dict[str, Any] = {"earlier_secret": None, "earlier_until": None}
    if overlap_hours:
        earlier = {"earlier_secret": Webhook.secret, "earlier_until": now() + 3600 * overlap_hours}
    connection.execute(update(Webhook).where(Webhook.id == webhook_id).values(secret=secret, **earlier))


def delete_webhook(connection: Connection, webhook_id: UUID) -> None:
    """Delete a webhook. Maintenance deletes its messages, which are sent no more."""
    connection.execute(delete(Webhook).where(Webhook.id == webhook_id))


def webhook_by_id(connection: Connection, project_id: int, webhook_id: UUID) -> Row[Any]:
    """The webhook of that id, without its secrets. Raises NotFound where the project has none."""
    query = _webhooks.where(Webhook.project_id == project_id, Webhook.id == webhook_id)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"there is no webhook {webhook_id}")
    return row


def webhooks_between(
    connection: Connection, project_id: int, first: UUID, last: UUID, limit: int
) -> list[Row[Any]]:  # fmt: skip
    """The newest webhooks of a project with ids from `first` to `last`, at most `limit`, without their secrets."""
    within = _webhooks.where(Webhook.project_id == project_id, Webhook.id >= first, Webhook.id <= last)
    return list(connection.execute(within.order_by(Webhook.id.desc()).limit(limit)))


def check_is_on(webhook: Row[Any]) -> Row[Any]:
    """The webhook, to send something at once. Raises WebhookOff where it is switched off."""
    if not webhook.enabled:
        raise WebhookOff("it is switched off; switch it on first")
    return webhook


def webhooks_of(
    connection: Connection, project_id: int, *, limit: int, cursor: str | None
) -> tuple[list[Row[Any]], str | None]:
    """A page of the webhooks of a project, the oldest first, and the cursor of the next page.

    Raises SpecInvalid where the cursor is not one that this service gave.
    """
    query = _webhooks.where(Webhook.project_id == project_id)
    return page_by(connection, query, [Webhook.id], limit=limit, cursor=cursor)


def deliveries_newest_first(
    connection: Connection, webhook_id: UUID, *, limit: int, cursor: str | None, state: str | None = None
) -> tuple[list[Row[Any]], str | None]:
    """A page of the messages of a webhook, the newest first, and the cursor of the next page.

    Raises SpecInvalid where the cursor is not one that this service gave.
    """
    query = select(*WebhookDelivery.__table__.columns).where(WebhookDelivery.webhook_id == webhook_id)
    if state is not None:
        query = query.where(WebhookDelivery.state == state)
    if cursor is not None:
        query = query.where(WebhookDelivery.id < id_in(cursor))
    rows = list(connection.execute(query.order_by(WebhookDelivery.id.desc()).limit(limit + 1)))
    more = len(rows) > limit
    return rows[:limit], cursor_after(rows[limit - 1].id) if more else None


def delivery_by_id(connection: Connection, webhook_id: UUID, delivery_id: UUID) -> Row[Any]:
    """The message of that id. Raises NotFound where the webhook has none."""
    mine = WebhookDelivery.webhook_id == webhook_id, WebhookDelivery.id == delivery_id
    row = connection.execute(select(*WebhookDelivery.__table__.columns).where(*mine)).first()
    if row is None:
        raise NotFound(f"there is no message {delivery_id} of this webhook; they are kept for a time")
    return row
