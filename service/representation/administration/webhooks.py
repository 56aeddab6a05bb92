"""Rows of webhooks and their messages as answers."""

from typing import Any

import orjson
from sqlalchemy import Row

from gradyard import shapes
from gradyard.jobs.errors import Candidate
from gradyard.store.dialects import as_datetime


def webhook_answer(row: Row[Any]) -> shapes.Webhook:
    """A webhook without its secret."""
    return shapes.Webhook.of(**_webhook(row))


def new_webhook_answer(row: Row[Any], secret: str) -> shapes.NewWebhook:
    """A webhook with its secret, right after that was made."""
    return shapes.NewWebhook.of(**_webhook(row), secret=secret)


def webhook_candidate(row: Row[Any]) -> Candidate:
    """A webhook among those whose ids begin alike."""
    return Candidate(row.id, None, row.url, "on" if row.enabled else "off")


def delivery_answer(row: Row[Any]) -> shapes.WebhookDelivery:
    """A message in a list."""
    return shapes.WebhookDelivery.of(**_delivery(row))


def delivery_with_message(row: Row[Any]) -> shapes.WebhookDeliveryWithMessage:
    """A message with all that it tells."""
    return shapes.WebhookDeliveryWithMessage.of(**_delivery(row), message=orjson.loads(row.body))


def _webhook(row: Row[Any]) -> dict[str, Any]:
    times = ("disabled_at", "created_at", "delivered_at", "failing_since")
    same = ("id", "url", "events", "description", "batch_members", "project", "enabled", "disabled_because",
            "created_by", "failures")  # fmt: skip
    values = {
        **{name: getattr(row, name) for name in same},
        **{name: as_datetime(getattr(row, name)) for name in times},
        "earlier_secret_until": as_datetime(row.earlier_until),
    }
    return {name: values[name] for name in shapes.Webhook.model_fields}


def _delivery(row: Row[Any]) -> dict[str, Any]:
    same = ("id", "event", "state", "tries", "status", "answer", "error", "seconds")
    values = {
        **{name: getattr(row, name) for name in same},
        "created_at": as_datetime(row.created_at), "tried_at": as_datetime(row.tried_at),
        "next_try_at": None if row.lease else as_datetime(row.next_at),  # with a lease a try is under way
    }  # fmt: skip
    return {name: values[name] for name in shapes.WebhookDelivery.model_fields}
