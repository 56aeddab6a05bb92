"""Commands for webhooks: webhooks create, list, show, update, rotate, delete."""

import contextlib
from typing import Annotated

import typer

from gradyard.cli.commands.changes import Change, change_each
from gradyard.cli.errors import BadUsage
from gradyard.cli.grammar.options import CommandOptions, asks_the_service, print_json
from gradyard.cli.output.shown_once import said_if_lost
from gradyard.cli.output.webhooks import webhook_lines, webhooks_table
from gradyard.cli.terminal import print_table
from gradyard.client.client import Client
from gradyard.shapes import NewWebhook

UrlArgument = Annotated[str, typer.Argument(metavar="URL", help="Where messages are sent: https://…")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The id of the webhook.")]
IdsArgument = Annotated[list[str] | None, typer.Argument(metavar="ID...", help="The ids of the webhooks.")]
EventsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--event",
        help="job.succeeded, job.failed, job.cancelled, batch.finished; for operators worker.lost and worker.drained. "
        "Repeatable.",
    ),
]
DescriptionOption = Annotated[str | None, typer.Option("--description", help="What it is for; '' takes it away.")]
MembersOption = Annotated[
    bool | None,
    typer.Option(
        "--batch-members/--no-batch-members", help="Whether jobs of batches have messages of their own. Default: yes."
    ),
]
NewUrlOption = Annotated[str | None, typer.Option("--to", metavar="URL", help="Where messages are sent from now on.")]
EnabledOption = Annotated[bool | None, typer.Option("--on/--off", help="Switch it on, or off.")]
OverlapOption = Annotated[
    float, typer.Option("--overlap-hours", min=0, help="For how long messages are signed by the old secret as well.")
]


@asks_the_service
def create(
    options: CommandOptions, address: UrlArgument, event: EventsOption = None, description: DescriptionOption = None,
    batch_members: MembersOption = None,
) -> None:  # fmt: skip
    """Create a webhook and print its secret, by which its receiver verifies messages. It is shown once.

    gradyard webhooks create https://example.org/gradyard --event job.failed --event batch.finished
    """
    if not event:
        raise BadUsage("name what it is to tell: --event job.failed, --event batch.finished, …")
    with options.connect() as client:
        made = client.webhooks.create(
            address, event, description=description or None, batch_members=batch_members is not False
        )
    _print_secret(options, made, f"webhook {made.id}; its secret:")


@asks_the_service
def list_webhooks(options: CommandOptions) -> None:
    """List the webhooks of the project, including those that are switched off."""
    with options.connect() as client:
        found = client.webhooks()
    if found or options.as_json:
        print_json([each.as_json() for each in found]) if options.as_json else print_table(webhooks_table(found))
    else:
        typer.echo("there is no webhook yet; `gradyard webhooks create URL --event job.failed` creates one")


@asks_the_service
def show(options: CommandOptions, webhook_id: IdArgument) -> None:
    """Show a webhook, and how its newest messages fared."""
    with options.connect() as client:
        found = client.webhooks.get(webhook_id)
    print_json(found.as_json()) if options.as_json else typer.echo("\n".join(webhook_lines(found)))


@asks_the_service
def update(
    options: CommandOptions, webhook_id: IdArgument, address: NewUrlOption = None, event: EventsOption = None,
    description: DescriptionOption = None, batch_members: MembersOption = None, enabled: EnabledOption = None,
) -> None:  # fmt: skip
    """Change a webhook; what is not named stays. --on switches on one that was switched off.

    gradyard webhooks update 01a2081e-7429-7d9c-8bc3-0e0ab1fea600 --on --to https://example.org/new
    """
    new = {"url": address, "events": event, "batch_members": batch_members, "enabled": enabled}
    if description is None and all(value in (None, []) for value in new.values()):
        raise BadUsage("name what to change: --to, --event, --description, --batch-members, --on or --off")
    with options.connect() as client:
        changed = client.webhooks.update(
            webhook_id, url=address, events=event or None, batch_members=batch_members, enabled=enabled,
            description=... if description is None else description or None,
        )  # fmt: skip
    print_json(changed.as_json()) if options.as_json else typer.echo("\n".join(webhook_lines(changed)))


@asks_the_service
def rotate(options: CommandOptions, webhook_id: IdArgument, overlap_hours: OverlapOption = 24.0) -> None:
    """Give a webhook a new secret and print it. It is shown once.

    gradyard webhooks rotate 01a2081e-7429-7d9c-8bc3-0e0ab1fea600 --overlap-hours 48
    """
    with options.connect() as client:
        made = client.webhooks.rotate(webhook_id, overlap_hours=overlap_hours)
    _print_secret(options, made, f"the new secret; messages have both signatures for {overlap_hours:g} hours:")


@asks_the_service
def delete(options: CommandOptions, ids: IdsArgument = None) -> None:
    """Delete webhooks with their messages. Those that wait are sent no more.

    gradyard webhooks delete 01a2081e-7429-7d9c-8bc3-0e0ab1fea600
    """
    change_each(options, "delete", ids, _delete)


def _delete(client: Client, webhook_id: str) -> Change:
    client.webhooks.delete(webhook_id)
    return Change(f"{webhook_id} deleted", {"id": webhook_id, "deleted": True})


def _print_secret(options: CommandOptions, made: NewWebhook, words: str) -> None:
    with said_if_lost(f"the secret of webhook {made.id} was made", f"`gradyard webhooks rotate {made.id}`"):
        if options.as_json:
            print_json(made.as_json())
            return
        with contextlib.suppress(OSError):  # stderr is full or closed
            typer.echo(words, err=True)
        typer.echo(made.secret)
