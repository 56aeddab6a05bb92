"""Which webhook, and which of its messages."""

from pydantic import BaseModel, Field

from gradyard.jobs.webhooks.events import DeliveryState
from service.http.parameters import PageQuery


class WebhookPath(BaseModel):
    """Which webhook."""

    webhook_id: str = Field(description="a UUID")


class DeliveryPath(WebhookPath):
    """Which message of a webhook."""

    delivery_id: str = Field(description="a UUID: the `webhook-id` of the message")


class DeliveryQuery(PageQuery):
    """Which messages."""

    state: DeliveryState | None = Field(default=None, description="only messages in this state")
