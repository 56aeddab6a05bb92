"""The best jobs: commands for those of a batch and of any question, and what other commands show of them."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from gradyard.cli.batch_details import axes, best_table
from gradyard.cli.commands.inspect_jobs import BatchOption, IdsOption, StageOption, WhereOption
from gradyard.cli.grammar.completion import batch_ids
from gradyard.cli.grammar.options import CommandOptions, asks_the_service, print_json
from gradyard.cli.lists import say_that_there_are_more
from gradyard.cli.terminal import print_table
from gradyard.client.client import Client
from gradyard.client.errors import RefusedByService
from gradyard.client.history.best import Mode
from gradyard.shapes import BestJobs

MOST = 200  # that the service gives

MetricOption = Annotated[
    str | None,
    typer.Option("--metric", metavar="NAME", help="loss, loss_min, a metric. Default: the stage's own."),
]
ModeOption = Annotated[
    Mode | None, typer.Option("--mode", help="Whether the smallest or the largest is best. Default: that of the stage.")
]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, max=MOST, help="How many to list.")]
BatchArgument = Annotated[str, typer.Argument(metavar="BATCH", help="The id of the batch.", autocompletion=batch_ids)]


@dataclass(frozen=True)
class Ranking:
    """How many of the best jobs to show, and by what; None: as their stage says."""

    limit: int
    metric: str | None
    mode: Mode | None


@asks_the_service
def best_of_batch(
    options: CommandOptions,
    batch: BatchArgument,
    metric: MetricOption = None,
    mode: ModeOption = None,
    limit: LimitOption = 10,
    ids: IdsOption = False,
) -> None:
    """List the best jobs of a batch, by their last loss or by any metric, the best first.

    gradyard batches best BATCH -n 3

    gradyard batches best BATCH --metric accuracy --mode max
    """
    with options.connect() as client:
        best = client.best_jobs(batch, _and_one(limit), metric=metric, mode=mode)
        varied = axes(client.batches.get(batch)) if best.jobs and not (options.as_json or ids) else []
    _print(best, varied, limit, ids=ids, as_json=options.as_json)


@asks_the_service
def best_of_jobs(
    options: CommandOptions,
    where: WhereOption = None,
    batch: BatchOption = None,
    stage: StageOption = None,
    metric: MetricOption = None,
    mode: ModeOption = None,
    limit: LimitOption = 10,
    ids: IdsOption = False,
) -> None:
    """List the best of all jobs that succeeded, or of those of which something is true, the best first.

    gradyard jobs best --where 'tags.course == "w3"' --metric accuracy --mode max
    """
    with options.connect() as client:
        best = client.best_jobs(batch, _and_one(limit), where=where, stage=stage, metric=metric, mode=mode)
    _print(best, ["stage", "learning_rate"], limit, ids=ids, as_json=options.as_json)


def best_that_are_clear(client: Client, batch: str, limit: int, **by: Any) -> BestJobs | None:
    """The best jobs of a batch; None, and a word on stderr, where its stages differ in what is best."""
    if not limit:
        return None
    try:
        return client.best_jobs(batch, limit, **by)
    except RefusedByService as refused:
        if refused.status != 422:
            raise
        typer.echo(f"no best jobs: {refused.detail}", err=True)
        return None


def _and_one(limit: int) -> int:
    """How many to ask for, to know whether there are more."""
    return min(limit + 1, MOST)


def _print(found: BestJobs, varied: list[str], limit: int, *, ids: bool, as_json: bool) -> None:
    best = found.model_copy(update={"jobs": found.jobs[:limit], "values": found.values[:limit]})
    if as_json:
        print_json([job.id if ids else job.as_json() for job in best.jobs])
    elif ids:
        typer.echo("".join(f"{job.id}\n" for job in best.jobs), nl=False)
    elif best.jobs:
        print_table(best_table(best, varied))
    else:
        typer.echo("no such job has succeeded yet", err=True)
    if len(found.jobs) > limit:
        say_that_there_are_more(limit, MOST)
    elif limit == len(found.jobs) == MOST:
        typer.echo(f"{MOST} shown, the most at a time; there may be more", err=True)
