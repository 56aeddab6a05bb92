"""Pauses that a database's clock which was set back has made longer: each is cut to what it is at most from now on."""

from sqlalchemy import ColumnElement, Connection, Double, and_, bindparam, case, cast, or_, select, update

from gradyard.jobs.webhooks.schedule import JITTER, LONGEST_PAUSE_SECONDS, MAY_ASK, MOST_ASKED_SECONDS, RETRY_SECONDS
from gradyard.store.tables import Webhook, WebhookDelivery
from gradyard.store.webhooks.claims import IS_WAITING, LEASE_SECONDS

SLACK_SECONDS = 1.0  # a pause that is longer by less began a moment ago

_moment = cast(bindparam("moment"), Double)
_after_tries = case(
    {tries: (1 + JITTER) * pause for tries, pause in enumerate(RETRY_SECONDS, 1)},
    value=WebhookDelivery.tries,
    else_=0.0,
)
_may_have_asked = WebhookDelivery.status.in_(MAY_ASK)
_longest = cast(case(
    (WebhookDelivery.lease.is_not(None), LEASE_SECONDS),
    (and_(_may_have_asked, _after_tries < MOST_ASKED_SECONDS), MOST_ASKED_SECONDS),
    else_=_after_tries,
), Double)  # fmt: skip
_too_late = and_(IS_WAITING, WebhookDelivery.next_at > _moment + _longest + SLACK_SECONDS)
_asked = select(WebhookDelivery.id).where(WebhookDelivery.webhook_id == Webhook.id, IS_WAITING, _may_have_asked)
_longest_of_webhook = cast(case((_asked.exists(), MOST_ASKED_SECONDS), else_=LONGEST_PAUSE_SECONDS), Double)
_paused = Webhook.paused_until > _moment + _longest_of_webhook + SLACK_SECONDS

PAUSES_LEFT: ColumnElement[bool] = or_(
    select(WebhookDelivery.id).where(_too_late).exists(), select(Webhook.id).where(_paused).exists()
)
"""Whether a message or a webhook waits for longer than it may, at the `moment` of the database's clock."""


def cut_pauses(connection: Connection, moment: float) -> None:
    """Let no message and no webhook wait for longer than if its pause began at that moment."""
    asked = {"moment": moment}
    connection.execute(update(WebhookDelivery).where(_too_late).values(next_at=_moment + _longest), asked)
    connection.execute(update(Webhook).where(_paused).values(paused_until=_moment + _longest_of_webhook), asked)
