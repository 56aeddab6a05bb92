"""Webhooks: where messages go, what they tell, and what became of each."""

from typing import Any

from gradyard.jobs.api_keys import Scope
from gradyard.jobs.webhooks.events import CHOOSABLE, OF_A_PROJECT, DeliveryState, WebhookEvent
from gradyard.store.webhooks import registry
from service.dashboard.administration.asked import address_with, asked, next_address
from service.http.access.callers import current_caller
from service.http.ids import parse_id
from service.http.query_parameters.pages import LongPageQuery, refusing_wrong_cursors
from service.http.query_parameters.webhooks import DeliveryQuery
from service.http.services import current_services
from service.representation.administration.webhooks import delivery_answer, webhook_answer

USUAL = (WebhookEvent.JOB_FAILED, WebhookEvent.BATCH_FINISHED)
STATE_ICONS = {
    DeliveryState.WAITING: "hourglass-split", DeliveryState.DELIVERED: "check-circle-fill",
    DeliveryState.FAILED: "x-octagon-fill",
}  # fmt: skip


def webhooks() -> tuple[str, dict[str, Any]]:
    """The page of the project's webhooks."""
    query, caller = asked(LongPageQuery), current_caller()
    with current_services().database.read() as connection, refusing_wrong_cursors():
        rows, cursor = registry.webhooks_of(connection, caller.project_id, limit=query.limit, cursor=query.cursor)
    return "administration/webhooks.html", {
        "webhooks": [webhook_answer(row) for row in rows], "next_address": next_address("webhooks", cursor),
        "events": CHOOSABLE if caller.may(Scope.OPERATOR) else OF_A_PROJECT, "usual": USUAL,
    }  # fmt: skip


def webhook(webhook_id: str) -> tuple[str, dict[str, Any]]:
    """The page of one webhook: its messages, the newest first."""
    query, project_id = asked(DeliveryQuery), current_caller().project_id
    which = {"webhook_id": webhook_id}
    with current_services().database.read() as connection, refusing_wrong_cursors():
        row = registry.webhook_by_id(connection, project_id, parse_id(webhook_id, "webhook"))
        messages, cursor = registry.deliveries_newest_first(
            connection, row.id, limit=query.limit, cursor=query.cursor, state=query.state
        )
    return "administration/webhook.html", {
        "webhook": webhook_answer(row), "messages": [delivery_answer(each) for each in messages],
        "states": list(DeliveryState), "asked": query, "delivery_icons": STATE_ICONS,
        "next_address": next_address("webhook", cursor, which),
        "with_state": lambda state: address_with("webhook", which, state=state, cursor=None),
    }  # fmt: skip
