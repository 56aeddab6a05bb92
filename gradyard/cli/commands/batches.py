"""Commands for batches, beside `watch`: list, show, best, cancel, retry, delete."""

from typing import Annotated, Any

import typer

from gradyard.cli import text
from gradyard.cli.arguments.spec import changes_from
from gradyard.cli.batch_details import axes, batch_details, best_table, counts
from gradyard.cli.commands.changes import Change, change_each
from gradyard.cli.commands.history.best import BatchArgument, best_that_are_clear
from gradyard.cli.commands.jobs import SetOption
from gradyard.cli.commands.live.watching import BestOption
from gradyard.cli.grammar.completion import batch_ids
from gradyard.cli.grammar.options import CommandOptions, asks_the_service, print_json
from gradyard.cli.lists import USUAL_LIMIT, newest, print_list
from gradyard.cli.tables import batches_table
from gradyard.cli.terminal import console, print_table
from gradyard.client.client import Client

LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many to list.")]
BatchesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="BATCH...", help="The ids of the batches.", autocompletion=batch_ids)
]
CancelledOption = Annotated[bool, typer.Option("--cancelled", help="Also the jobs that were cancelled.")]


@asks_the_service
def list_batches(options: CommandOptions, limit: LimitOption = USUAL_LIMIT) -> None:
    """List the batches, the newest first."""
    with options.connect() as client:
        listed, more = newest(client.batches(), limit)
    none = "there are no batches yet; `gradyard sweep` submits one"
    print_list(listed, more, batches_table, as_json=options.as_json, none=none)


@asks_the_service
def show_batch(options: CommandOptions, batch: BatchArgument, best: BestOption = 5) -> None:
    """Show a batch: its jobs by state, its failures by reason, and the best jobs.

    gradyard batches show BATCH
    """
    with options.connect() as client:
        found = client.batches.get(batch)
        if options.as_json:
            print_json(found.as_json())
            return
        best_jobs = best_that_are_clear(client, found.id, best)
    console().print(batch_details(found))
    if best_jobs is not None and best_jobs.jobs:
        typer.echo()
        print_table(best_table(best_jobs, axes(found)))


@asks_the_service
def cancel_batches(options: CommandOptions, ids: BatchesArgument = None) -> None:
    """Cancel all queued and running jobs of batches. The finished ones stay as they are.

    gradyard batches cancel BATCH
    """
    change_each(options, "cancel", ids, _cancel)


@asks_the_service
def retry_batches(
    options: CommandOptions,
    ids: BatchesArgument = None,
    cancelled: CancelledOption = False,
    assignments: SetOption = None,
) -> None:
    """Submit the failed jobs of batches anew; each new job takes the place of the old one in its batch.

    gradyard batches retry BATCH

    gradyard batches retry BATCH --set learning_rate=1e-7
    """
    asked = {"states": ["failed", "cancelled"] if cancelled else None, "set": changes_from(assignments or [])}
    change_each(options, "retry", ids, lambda client, batch_id: _retry(client, batch_id, asked))


@asks_the_service
def delete_batches(options: CommandOptions, ids: BatchesArgument = None) -> None:
    """Delete finished batches with all of their jobs.

    gradyard batches delete BATCH
    """
    change_each(options, "delete", ids, _delete)


def _cancel(client: Client, batch_id: str) -> Change:
    batch = client.batches.cancel(batch_id)
    return Change(f"{batch.id} {batch.state}: {counts(batch)}", {"id": batch.id, "counts": dict(batch.counts)})


def _retry(client: Client, batch_id: str, asked: dict[str, Any]) -> Change:
    retried = client.batches.retry(batch_id, **asked)
    line = f"{retried.id} {retried.retried:,} of {text.jobs(retried.size)} submitted anew"
    return Change(line if retried.retried else f"{retried.id} has nothing to retry", retried.as_json())


def _delete(client: Client, batch_id: str) -> Change:
    deleted = client.batches.delete(batch_id)
    what = f"deleted with {text.jobs(deleted.deleted)}" if deleted.deleted else "was deleted already"
    return Change(f"{deleted.id} {what}", deleted.as_json())
