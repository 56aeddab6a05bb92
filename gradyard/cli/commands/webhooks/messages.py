"""Commands for the messages of webhooks: webhooks test, deliveries, resend."""

import time
from typing import Annotated

import typer

from gradyard.cli.commands.webhooks.webhooks import IdArgument
from gradyard.cli.grammar.options import CommandOptions, asks_the_service, print_json
from gradyard.cli.lists import USUAL_LIMIT, newest, print_list
from gradyard.cli.output.webhooks import deliveries_table, delivery_sentence
from gradyard.client.client import Client
from gradyard.jobs.webhooks.events import DeliveryState
from gradyard.shapes import WebhookDelivery

StateOption = Annotated[
    DeliveryState | None, typer.Option("--state", help="Only messages that wait, were delivered, or failed.")
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="How many messages.")]
DeliveryArgument = Annotated[str, typer.Argument(metavar="MESSAGE", help="The id of the message.")]

LOOK_SECONDS, LONGEST_SECONDS = 0.5, 30.0  # for what became of a test: a try takes 15 s at most


@asks_the_service
def test(options: CommandOptions, webhook_id: IdArgument) -> None:
    """Let a message of the type webhook.test be sent, and say what became of it. Exit status 1: it was not accepted.

    gradyard webhooks test 01a2081e-7429-7d9c-8bc3-0e0ab1fea600
    """
    with options.connect() as client:
        tried = _outcome(client, webhook_id, client.webhooks.test(webhook_id))
    print_json(tried.as_json()) if options.as_json else typer.echo(delivery_sentence(tried))
    if not tried.delivered:
        raise typer.Exit(1)


def _outcome(client: Client, webhook_id: str, asked: WebhookDelivery) -> WebhookDelivery:
    """The message after its first try, or as it is after half a minute."""
    until, seen = time.monotonic() + LONGEST_SECONDS, asked
    while not (seen.delivered or seen.error) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        seen = client.webhooks.delivery(webhook_id, asked)
    return seen


@asks_the_service
def deliveries(
    options: CommandOptions, webhook_id: IdArgument, state: StateOption = None, limit: LimitOption = USUAL_LIMIT
) -> None:
    """List the messages of a webhook, the newest first, and what became of them.

    gradyard webhooks deliveries 01a2081e-7429-7d9c-8bc3-0e0ab1fea600 --state failed
    """
    with options.connect() as client:
        found, more = newest(client.webhooks.deliveries(webhook_id, state=state), limit)
    print_list(found, more, deliveries_table, as_json=options.as_json, none="there is no such message")


@asks_the_service
def resend(options: CommandOptions, webhook_id: IdArgument, message: DeliveryArgument) -> None:
    """Send a message again, whatever became of it. It keeps its id.

    gradyard webhooks resend 01a2081e-7429-7d9c-8bc3-0e0ab1fea600 01a2081e-8d3f-7a01-a0f9-6b6f3a3e7c11
    """
    with options.connect() as client:
        again = client.webhooks.resend(webhook_id, message)
    print_json(again.as_json()) if options.as_json else typer.echo(f"{again.id} is sent again")
