"""What came of the tries of messages is written down; a webhook that accepts nothing pauses, and is switched off."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, case, func, or_, select, update

from gradyard.jobs.webhooks.events import DeliveryState
from gradyard.jobs.webhooks.schedule import SWITCHED_OFF_SECONDS, pause_seconds, retry_seconds
from gradyard.store.dialects import now, strip_unstorable
from gradyard.store.tables import Webhook, WebhookDelivery
from gradyard.store.webhooks.claims import IS_WAITING, Try
from gradyard.store.webhooks.spans import switch_off

ANSWER_LETTERS, ERROR_LETTERS = 1000, 500


@dataclass(frozen=True)
class Answered:
    """What came of a try: the status and the beginning of an answer, or why there was none.

    asked_seconds: how long the receiver asks to be left alone.
    """

    status: int | None
    answer: str | None
    error: str | None
    seconds: float
    asked_seconds: float | None = None

    @property
    def accepted(self) -> bool:
        """Whether the message was accepted: an answer of 200 to 299."""
        return self.error is None and self.status is not None and 200 <= self.status < 300


def note_answer(connection: Connection, tried: Try, answered: Answered) -> None:
    """Write down what came of a try. One that another process has taken over is left to it, unless it was accepted."""
    mine = update(WebhookDelivery).where(WebhookDelivery.id == tried.id, IS_WAITING)
    told: dict[str, Any] = {"status": answered.status, "answer": _beginning(answered.answer, ANSWER_LETTERS),
            "error": _beginning(answered.error, ERROR_LETTERS), "seconds": answered.seconds, "lease": None}  # fmt: skip
    if answered.accepted:
        connection.execute(mine.values(told | {"state": DeliveryState.DELIVERED, "next_at": None}))
        _note_success(connection, tried.webhook_id)
        return
    pause = retry_seconds(tried.number)
    state = DeliveryState.FAILED if pause is None else DeliveryState.WAITING
    told |= {"state": state, "next_at": None if pause is None else now() + max(pause, answered.asked_seconds or 0.0)}
    if connection.execute(mine.where(WebhookDelivery.lease == tried.lease).values(told)).rowcount:
        _note_failure(connection, tried.webhook_id, answered)


def _beginning(text: str | None, letters: int) -> str | None:
    return None if text is None else strip_unstorable(text)[:letters]


def _note_success(connection: Connection, webhook_id: UUID) -> None:
    fine = {"delivered_at": now(), "failing_since": None, "failures": 0, "paused_until": None}
    connection.execute(update(Webhook).where(Webhook.id == webhook_id).values(fine))


def _note_failure(connection: Connection, webhook_id: UUID, answered: Answered) -> None:
    """Let the webhook pause, or switch it off: after three days without success, and at an answer of 410 Gone."""
    webhook = connection.execute(_failing, {"of_webhook": webhook_id}).first()
    if webhook is None:
        return
    since = webhook.at if webhook.failing_since is None else webhook.failing_since
    failures = webhook.failures + 1
    pause = max(pause_seconds(failures), answered.asked_seconds or 0.0)
    changes = {"failing_since": since, "failures": failures, "paused_until": webhook.at + pause}
    last = answered.error or f"it answered {answered.status}"
    reason = None
    if answered.status == 410:
        reason = "its receiver answered 410 Gone"
    elif webhook.at - since >= SWITCHED_OFF_SECONDS:
        reason = f"no message was accepted for {SWITCHED_OFF_SECONDS / 86_400:.0f} days; at last {last}"
    connection.execute(update(Webhook).where(Webhook.id == webhook_id).values(changes))
    if reason is not None:
        switch_off(connection, webhook_id, reason[: 2 * ERROR_LETTERS])


_failing = (
    select(Webhook.failing_since, Webhook.failures, now().label("at"))
    .where(Webhook.id == bindparam("of_webhook")).with_for_update()
)  # fmt: skip


def send_again(connection: Connection, webhook_id: UUID, delivery_id: UUID) -> bool:
    """Let a message be sent again now, whatever became of it, with all its tries before it. False: there is none.

    One that is being sent goes on: what comes of that try counts.
    """
    mine = WebhookDelivery.id == delivery_id, WebhookDelivery.webhook_id == webhook_id
    idle = or_(~IS_WAITING, WebhookDelivery.lease.is_(None), WebhookDelivery.next_at <= now())
    again = {"state": DeliveryState.WAITING, "tries": 0, "next_at": now(), "lease": None}
    connection.execute(update(WebhookDelivery).where(*mine, idle).values(again))
    return connection.execute(select(WebhookDelivery.id).where(*mine)).first() is not None


def end_pause(connection: Connection, webhook_id: UUID) -> None:
    """Let the next message of a webhook go now: a person has asked for one."""
    connection.execute(update(Webhook).where(Webhook.id == webhook_id).values(paused_until=None))


def waiting_figures(connection: Connection) -> tuple[int, float]:
    """How many messages wait for webhooks that are switched on, and for how many seconds the oldest does."""
    age = func.coalesce(now() - func.min(WebhookDelivery.created_at), 0.0)
    query = select(func.count(), case((func.count() > 0, age), else_=0.0)).select_from(WebhookDelivery)
    query = query.join(Webhook, Webhook.id == WebhookDelivery.webhook_id).where(Webhook.enabled, IS_WAITING)
    count, oldest = connection.execute(query).one()
    return count, max(0.0, oldest)
