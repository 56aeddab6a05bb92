"""Webhooks and their messages."""

from typing import Any

from pydantic import AwareDatetime, Field

from gradyard.jobs.webhooks.events import CHOOSABLE, DeliveryState, WebhookEvent
from gradyard.shapes.base import Answer


class Webhook(Answer):
    """An address that the service sends messages to. Its secret is shown when it is made, and never again."""

    id: str
    url: str = ""
    events: tuple[WebhookEvent | str, ...] = Field(default=(), json_schema_extra={"items": {"enum": list(CHOOSABLE)}})
    description: str | None = None
    batch_members: bool = Field(default=True, description="whether jobs of batches have messages of their own")
    project: str = ""
    enabled: bool = True
    disabled_at: AwareDatetime | None = None
    disabled_because: str | None = None
    created_at: AwareDatetime | None = None
    created_by: str = ""
    delivered_at: AwareDatetime | None = Field(default=None, description="when a message was accepted the last time")
    failing_since: AwareDatetime | None = Field(default=None, description="the first failure since then")
    failures: int = Field(default=0, description="tries that failed since then")
    earlier_secret_until: AwareDatetime | None = Field(
        default=None, description="until then messages are signed by the secret before the last rotation as well"
    )


class NewWebhook(Webhook):
    """A webhook with a new secret: `secret` is shown once."""

    secret: str = Field(repr=False)


class WebhookList(Answer):
    """Webhooks, the oldest first. `next_cursor` asks for the next page; null on the last one."""

    webhooks: tuple[Webhook, ...]
    next_cursor: str | None = None


class WebhookDelivery(Answer):
    """A message for a webhook, and what became of it. Its id is the `webhook-id` of each try."""

    id: str
    event: WebhookEvent | str = Field(json_schema_extra={"enum": list(WebhookEvent)})
    state: DeliveryState
    created_at: AwareDatetime | None = None
    tries: int = Field(default=0, description="since it was made, or sent again by hand")
    tried_at: AwareDatetime | None = None
    next_try_at: AwareDatetime | None = None
    status: int | None = Field(default=None, description="of the newest answer; null: there was none")
    answer: str | None = Field(default=None, description="how the newest answer begins")
    error: str | None = Field(default=None, description="why the newest try was none that accepts the message")
    seconds: float | None = Field(default=None, description="that the newest try took")

    @property
    def delivered(self) -> bool:
        """Whether its receiver accepted it."""
        return self.state is DeliveryState.DELIVERED


class WebhookDeliveryList(Answer):
    """Messages, the newest first. `next_cursor` asks for the next page; null on the last one."""

    deliveries: tuple[WebhookDelivery, ...]
    next_cursor: str | None = None


class WebhookDeliveryWithMessage(WebhookDelivery):
    """A message for a webhook with all that it tells: `{"type", "timestamp", "data"}`."""

    message: dict[str, Any]
