"""Requests of the Client for webhooks. They need the scope `admin`, or a service without keys on this machine."""

import json
from collections.abc import AsyncIterator, Sequence
from functools import cached_property
from types import EllipsisType
from typing import Any

from gradyard.client.base import BaseClient
from gradyard.client.definitions import K, Noun, asks, iterates, verb, verb_of_many
from gradyard.client.identities import DeliveryLike, WebhookLike, delivery_path, webhook_path
from gradyard.shapes import NewWebhook, Webhook, WebhookDelivery, WebhookDeliveryWithMessage

WEBHOOKS = "/v1/webhooks"
_JSON = {"Content-Type": "application/json"}


class WebhookRequests(BaseClient[K]):
    """Make, change, try and delete webhooks; look at their messages and send them again."""

    @cached_property
    def webhooks(self) -> "Webhooks[K]":
        """The webhooks. `client.webhooks()` lists them, `client.webhooks.test(id)` is `client.test_webhook(id)`."""
        return Webhooks(self)

    @asks
    async def create_webhook(
        self, url: str, events: Sequence[str], *, description: str | None = None, batch_members: bool = True,
        secret: str | None = None,
    ) -> NewWebhook:  # fmt: skip
        """Make a webhook: from now on the service sends a message to `url` for each of these events.

        events: of `job.succeeded`, `job.failed`, `job.cancelled` and `batch.finished`, and for operators `worker.lost`
        and `worker.drained`. batch_members: whether jobs of batches have messages of their own. secret: `whsec_` and 24
        to 64 random bytes in base64; default: the service makes one.
        The secret is in `secret` of the answer, and cannot be read again: receivers verify messages by it.
        If the answer is lost, Unreachable is raised, and a webhook may exist: see `webhooks()`.
        """
        asked = {"url": url, "events": list(events), "description": description, "batch_members": batch_members,
                 "secret": secret}  # fmt: skip
        body = json.dumps(asked).encode()
        answer = await self._transport.ask_json("POST", WEBHOOKS, body=body, headers=_JSON, once=True)
        return self._one(NewWebhook, answer)

    @asks
    async def webhook(self, webhook: WebhookLike) -> Webhook:
        """A webhook, and how its newest messages fared."""
        return self._one(Webhook, await self._transport.ask_json("GET", webhook_path(webhook)))

    @asks
    async def update_webhook(
        self, webhook: WebhookLike, *, url: str | None = None, events: Sequence[str] | None = None,
        description: str | EllipsisType | None = ..., batch_members: bool | None = None, enabled: bool | None = None,
    ) -> Webhook:  # fmt: skip
        """Change a webhook and return it. What is not named stays.

        description: None takes it away. enabled: True switches on one that was switched off, and the messages that wait
        for it go on.
        """
        given: dict[str, Any] = {"url": url, "events": None if events is None else list(events),
                                 "batch_members": batch_members, "enabled": enabled}  # fmt: skip
        changes = {name: value for name, value in given.items() if value is not None}
        changes |= {} if description is ... else {"description": description}
        body = json.dumps(changes).encode()
        return self._one(
            Webhook, await self._transport.ask_json("PATCH", webhook_path(webhook), body=body, headers=_JSON)
        )

    @asks
    async def rotate_webhook_secret(
        self, webhook: WebhookLike, *, overlap_hours: float = 24.0, secret: str | None = None
    ) -> NewWebhook:
        """Give a webhook a new secret; for the overlap its messages are signed by the old one as well.

        The secret is in `secret` of the answer, and cannot be read again. If the answer is lost, Unreachable is raised,
        and the secret may be a new one that is not known: rotate it again.
        """
        body = json.dumps({"overlap_hours": overlap_hours, "secret": secret}).encode()
        path = f"{webhook_path(webhook)}/rotate"
        answer = await self._transport.ask_json("POST", path, body=body, headers=_JSON, once=True)
        return self._one(NewWebhook, answer)

    @asks
    async def delete_webhook(self, webhook: WebhookLike) -> None:
        """Delete a webhook with its messages. Those that wait are sent no more. One that is not there is no error."""
        await self._transport.ask("DELETE", webhook_path(webhook), also_fine=frozenset({404}))

    @asks
    async def test_webhook(self, webhook: WebhookLike) -> WebhookDelivery:
        """Let a message of the type `webhook.test` be sent within seconds. `webhook_delivery` tells what became of it.

        It is asked for once: a lost answer raises Unreachable.
        """
        path = f"{webhook_path(webhook)}/test"
        return self._one(WebhookDelivery, await self._transport.ask_json("POST", path, once=True))

    @iterates
    async def webhook_deliveries(
        self, webhook: WebhookLike, *, state: str | None = None, limit: int | None = None
    ) -> AsyncIterator[WebhookDelivery]:
        """The messages of a webhook, the newest first. state: of `waiting`, `delivered` and `failed`."""
        path = f"{webhook_path(webhook).removeprefix('/v1/')}/deliveries"
        async for each in self._newest(WebhookDelivery, path, {"state": state}, limit, inside="deliveries"):
            yield each

    @asks
    async def webhook_delivery(self, webhook: WebhookLike, delivery: DeliveryLike) -> WebhookDeliveryWithMessage:
        """A message with all that it tells, and what became of it."""
        path = delivery_path(webhook, delivery)
        return self._one(WebhookDeliveryWithMessage, await self._transport.ask_json("GET", path))

    @asks
    async def resend_webhook_delivery(self, webhook: WebhookLike, delivery: DeliveryLike) -> WebhookDelivery:
        """Let a message be sent again, whatever became of it. It keeps its id."""
        path = f"{delivery_path(webhook, delivery)}/resend"
        return self._one(WebhookDelivery, await self._transport.ask_json("POST", path))


class Webhooks(Noun[K]):
    """The webhooks of the project. Called, it lists them; its verbs take a webhook or its id."""

    create, get = verb(WebhookRequests.create_webhook), verb(WebhookRequests.webhook)
    update, rotate = verb(WebhookRequests.update_webhook), verb(WebhookRequests.rotate_webhook_secret)
    delete, test = verb(WebhookRequests.delete_webhook), verb(WebhookRequests.test_webhook)
    deliveries, delivery = verb_of_many(WebhookRequests.webhook_deliveries), verb(WebhookRequests.webhook_delivery)
    resend = verb(WebhookRequests.resend_webhook_delivery)

    @asks
    async def __call__(self) -> list[Webhook]:
        """The webhooks of the project, the oldest first, without their secrets, also those that are switched off."""
        return await self._client._all(Webhook, WEBHOOKS, "webhooks")
