"""When a webhook was on, by the ids of notices in the outbox: they only rise, while a clock may be set back.

A span is `[after, until]`: the notices beyond `after` are told, up to `until`; null: the webhook is on. A span that has
ended stays until what it names has left the outbox, so that what happened while the webhook was on is told later on.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, update

from gradyard.store.dialects import now
from gradyard.store.tables import Webhook, WebhookNotice

Span = Sequence[int | None]

_outbox = select(func.coalesce(func.max(WebhookNotice.id), 0), func.coalesce(func.min(WebhookNotice.id), 0))


def first_span(connection: Connection) -> list[Span]:
    """That of a new webhook: it is told what happens from now on."""
    newest, _ = connection.execute(_outbox).one()
    return [[newest, None]]


def was_on(spans: Sequence[Span], notice: int) -> bool:
    """Whether the webhook of these spans was on when that notice was written."""
    return any((after or 0) < notice and (until is None or notice <= until) for after, until in spans)


def switch_on(connection: Connection, webhook_id: UUID) -> None:
    """Switch a webhook on, from now on. One that is on stays so."""
    webhook = _locked(connection, webhook_id)
    if webhook is None or webhook.enabled:
        return
    newest, oldest = connection.execute(_outbox).one()
    spans = [span for span in webhook.spans if oldest and span[1] >= oldest]
    if spans and spans[-1][1] == newest:  # nothing happened in between
        spans[-1] = [spans[-1][0], None]
    else:
        spans.append([newest, None])
    on = {"enabled": True, "disabled_at": None, "disabled_because": None, "spans": spans}
    connection.execute(update(Webhook).where(Webhook.id == webhook_id).values(on))


def switch_off(connection: Connection, webhook_id: UUID, reason: str) -> None:
    """Switch a webhook off, and write down why. One that is off stays so, with the earlier reason."""
    webhook = _locked(connection, webhook_id)
    if webhook is None or not webhook.enabled:
        return
    newest, _ = connection.execute(_outbox).one()
    *ended, (after, _) = webhook.spans
    off = {"enabled": False, "disabled_at": now(), "disabled_because": reason,
           "spans": [*ended, [after, max(after, newest)]]}  # fmt: skip
    connection.execute(update(Webhook).where(Webhook.id == webhook_id).values(off))


def _locked(connection: Connection, webhook_id: UUID) -> Any:
    query = select(Webhook.enabled, Webhook.spans).where(Webhook.id == webhook_id)
    return connection.execute(query.with_for_update()).first()
