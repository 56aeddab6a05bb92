"""The command for the audit."""

from typing import Annotated

import typer

from gradyard.cli.grammar.options import CommandOptions, asks_the_service
from gradyard.cli.lists import newest, print_list
from gradyard.cli.tables import audit_table

ActionOption = Annotated[
    str | None, typer.Option("--action", help="Only such entries: key_created, drained, job_deleted and so on.")
]
ActorOption = Annotated[str | None, typer.Option("--actor", help="Only what this one did: api:NAME@PROJECT.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="How many entries.")]


@asks_the_service
def list_entries(
    options: CommandOptions, action: ActionOption = None, actor: ActorOption = None, limit: LimitOption = 50
) -> None:
    """List what was done with keys, workers and queues, and what was deleted. For operators.

    gradyard audit --action key_created --project physics
    """
    with options.connect() as client:
        entries, more = newest(client.audit(action=action, actor=actor), limit)
    print_list(entries, more, audit_table, as_json=options.as_json, none="there is no such entry")
