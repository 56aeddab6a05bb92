"""Webhooks and their messages as text."""

from collections.abc import Iterable

from rich.text import Text

from gradyard.cli import text
from gradyard.cli.output.listing import Column, Listing
from gradyard.jobs.visible_text import one_line
from gradyard.jobs.webhooks.events import DeliveryState
from gradyard.shapes import Webhook, WebhookDelivery

DELIVERY_STYLES = {DeliveryState.WAITING: "yellow", DeliveryState.DELIVERED: "green", DeliveryState.FAILED: "red"}


def webhooks_table(webhooks: Iterable[Webhook]) -> Listing:
    """One line for each webhook."""
    listing = Listing(
        Column("id"), Column("state"), Column("url", kind="text", least=20),
        Column("events", 1, kind="prose", least=16),
        Column("last delivered", 3, right=True, brief="delivered"), Column("description", 4, kind="text"),
    )  # fmt: skip
    for each in webhooks:
        events, delivered = ", ".join(each.events), text.ago(each.delivered_at)
        listing.add(each.id, _state(each), each.url, events, delivered, each.description or "")
    return listing


def _state(webhook: Webhook) -> Text:
    if not webhook.enabled:
        return Text("off", style="red")
    return Text("failing", style="yellow") if webhook.failures else Text("on", style="green")


def webhook_lines(webhook: Webhook) -> list[str]:
    """A webhook as lines of text."""
    lines = [f"webhook {webhook.id} of {webhook.project}", f"  url      {webhook.url}"]
    lines.append(f"  events   {', '.join(webhook.events)}" + ("" if webhook.batch_members else "; no jobs of batches"))
    if webhook.description:
        lines.append(f"  for      {webhook.description}")
    lines.append(f"  state    {_fares(webhook)}")
    if webhook.delivered_at is not None:
        lines.append(f"  accepted {text.ago(webhook.delivered_at)}")
    return [one_line(line) for line in lines]


def _fares(webhook: Webhook) -> str:
    if not webhook.enabled:
        return f"off since {text.ago(webhook.disabled_at)}: {webhook.disabled_because}"
    if webhook.failures:
        tries = "1 try failed" if webhook.failures == 1 else f"{webhook.failures:,} tries failed"
        return f"on; {tries} since {text.ago(webhook.failing_since)}"
    return "on"


def deliveries_table(messages: Iterable[WebhookDelivery]) -> Listing:
    """One line for each message of a webhook."""
    listing = Listing(
        Column("message"), Column("event"), Column("state"), Column("made", 2, right=True),
        Column("tries", 3, right=True), Column("answer", 1, right=True), Column("why", 4, kind="prose", least=16),
    )  # fmt: skip
    for each in messages:
        state = Text(str(each.state), style=DELIVERY_STYLES.get(each.state, ""))
        status = "-" if each.status is None else str(each.status)
        listing.add(each.id, str(each.event), state, text.ago(each.created_at), str(each.tries), status,
                    one_line(each.error or ""))  # fmt: skip
    return listing


def delivery_sentence(message: WebhookDelivery) -> str:
    """What became of a message, in one line."""
    if message.delivered:
        return f"accepted with {message.status} after {text.duration(message.seconds)}"
    if message.error:
        return one_line(f"not accepted: {message.error}")
    return f"not sent yet; `gradyard webhooks deliveries` shows message {message.id}; is maintenance running?"
