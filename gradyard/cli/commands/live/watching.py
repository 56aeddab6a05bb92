"""What follows a job or a batch until it has ended: watch, and what submit and sweep do after they have submitted."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.text import Text

from gradyard.cli import text
from gradyard.cli.batch_details import axes, best_table, counts, failure_lines
from gradyard.cli.commands.history.best import BatchArgument, MetricOption, ModeOption, Ranking, best_that_are_clear
from gradyard.cli.grammar.completion import batch_ids, job_ids
from gradyard.cli.grammar.options import LONG_RETRY_SECONDS, CommandOptions, asks_the_service, print_json
from gradyard.cli.live.follow_batch import follow_batch
from gradyard.cli.live.follow_job import follow_job
from gradyard.cli.live.json_lines import print_line, print_messages
from gradyard.cli.terminal import console, print_table
from gradyard.client.client import Client
from gradyard.client.errors import JobNotFound, RefusedByService
from gradyard.shapes import Batch, BestJobs, Job

BestOption = Annotated[int, typer.Option("--best", min=0, help="Of a batch: how many of the best jobs to show.")]


def _ids(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    return [*job_ids(ctx, incomplete), *batch_ids(ctx, incomplete)]


ThingArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The id of the job or batch.", autocompletion=_ids)
]  # fmt: skip


@asks_the_service
def watch(
    options: CommandOptions,
    thing: ThingArgument,
    best: BestOption = 10,
    metric: MetricOption = None,
    mode: ModeOption = None,
) -> None:
    """Follow a job, its curve as it grows, or a batch, to the end.

    The exit status is 0 if it succeeded, of a batch if every job did, else 1. Ctrl-C ends the watching, nothing else.

    gradyard watch ID

    gradyard watch ID --json | jq -c 'select(.event == "curve")'
    """
    with options.connect(LONG_RETRY_SECONDS) as client:
        _follow(client, _found(client, thing), Ranking(best, metric, mode), as_json=options.as_json)


@asks_the_service
def watch_batch(
    options: CommandOptions,
    batch: BatchArgument,
    best: BestOption = 10,
    metric: MetricOption = None,
    mode: ModeOption = None,
) -> None:
    """Follow a batch until all of its jobs have ended, and show the best of them.

    The exit status is 0 if every job succeeded, else 1. Ctrl-C ends the watching, not the batch.
    """
    with options.connect(LONG_RETRY_SECONDS) as client:
        _follow(client, client.batch(batch), Ranking(best, metric, mode), as_json=options.as_json)


def _follow(client: Client, found: Job | Batch, ranking: Ranking, *, as_json: bool) -> None:
    if as_json:
        _print_messages(client, found, ranking)
    elif isinstance(found, Job):
        wait_and_report(client, found, as_json=False)
    else:
        follow_and_report(client, found, axes(found), ranking, as_json=False)


def _found(client: Client, thing: str) -> Job | Batch:
    try:
        return client.job(thing)
    except JobNotFound as error:
        try:
            return client.batch(thing)
        except RefusedByService:
            raise error from None  # it says which batch there is, where the id is that of one


def _print_messages(client: Client, found: Job | Batch, ranking: Ranking) -> None:
    """Prints what happens as lines of JSON, of a batch then its best jobs. Exits with 1 unless all succeeded."""
    with _goes_on(found):
        last = print_messages(client.watch(found) if isinstance(found, Job) else client.watch_batch(found))
    if isinstance(last, Batch) and (best := _best(client, last, ranking)):
        print_line({"event": "best", **best.as_json()})
    if not (last.succeeded if isinstance(last, Job) else _all_succeeded(last)):
        raise typer.Exit(1)


def _best(client: Client, batch: Batch, ranking: Ranking) -> BestJobs | None:
    return best_that_are_clear(client, batch.id, ranking.limit, metric=ranking.metric, mode=ranking.mode)


def wait_and_report(client: Client, job: Job, *, as_json: bool) -> None:
    """Shows the progress on stderr and the outcome on stdout. Exits with 1 unless the job succeeded."""
    with _goes_on(job):
        job = follow_job(client, job, console(stderr=True))
    if as_json:
        print_json(job.as_json())
    else:
        seconds = job.timings.get("train_seconds")
        after = f" in {text.duration(seconds)}" if seconds is not None else ""
        console().print(Text(f"{job.state}{after}: {text.outcome(job)}"))
    if not job.succeeded:
        raise typer.Exit(1)


def follow_and_report(client: Client, batch: Batch, varied: list[str], ranking: Ranking, *, as_json: bool) -> None:
    """Shows the progress and the failures on stderr, the best jobs on stdout. Exits with 1 unless all succeeded."""
    with _goes_on(batch):
        typer.echo(f"batch {batch.id}: {text.jobs(batch.size)}", err=True)
        batch = follow_batch(client, batch, console(stderr=True))
    if not as_json:
        for line in (f"batch {batch.id}: {counts(batch)}", *failure_lines(batch)):
            typer.echo(line, err=True)
    best = _best(client, batch, ranking)
    if as_json:
        print_json({"batch": batch.as_json(), "best": [job.as_json() for job in best.jobs] if best else []})
    elif best is not None and best.jobs:
        print_table(best_table(best, varied))
    if not _all_succeeded(batch):
        raise typer.Exit(1)


def _all_succeeded(batch: Any) -> bool:
    return bool(batch.counts.get("succeeded") == batch.size)


@contextmanager
def _goes_on(found: Job | Batch) -> Iterator[None]:
    """Where Ctrl-C ends the block, says that the job or batch goes on, and which commands follow and stop it."""
    try:
        yield
    except KeyboardInterrupt:
        kind, noun = ("job", "") if isinstance(found, Job) else ("batch", " batches")
        command = text.command_as_called()
        again = f"`{command} watch {found.id}` follows it again"
        typer.echo(f"{kind} {found.id} goes on; {again}, `{command}{noun} cancel {found.id}` stops it", err=True)
        raise typer.Exit(130) from None
