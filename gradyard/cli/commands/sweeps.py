"""Commands that follow a batch until it is finished: sweep, which submits one, and batches watch."""

from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gradyard.cli import text
from gradyard.cli.arguments.spec import spec_from, with_kinds
from gradyard.cli.arguments.sweep import axes_from
from gradyard.cli.batch_details import axes, counts, failure_lines
from gradyard.cli.commands.jobs import FileArgument, SetOption, StageOption
from gradyard.cli.grammar.completion import batch_ids
from gradyard.cli.grammar.options import LONG_RETRY_SECONDS, CommandOptions, asks_the_service, print_json
from gradyard.cli.tables import best_table
from gradyard.cli.terminal import console, print_table
from gradyard.client.client import Client
from gradyard.shapes import Batch

GridOption = Annotated[
    list[str] | None,
    typer.Option("--grid", metavar="NAME=VALUES", help="Values separated by commas, or FIRST:END[:STEP]; repeatable."),
]
RandomOption = Annotated[
    list[str] | None,
    typer.Option(
        "--random", metavar="NAME=LOW:HIGH", help="A new random value for each job; LOW:HIGH:log draws on a log scale."
    ),
]
SamplesOption = Annotated[
    int, typer.Option("--samples", min=1, help="Jobs for each combination, each with its own random values.")
]
NameOption = Annotated[str | None, typer.Option("--name", help="The name of the batch.")]
BestOption = Annotated[int, typer.Option("--best", min=0, help="How many of the best jobs to show.")]
NoWaitOption = Annotated[bool, typer.Option("--no-wait", help="Print the id of the batch and do not wait.")]
BatchArgument = Annotated[str, typer.Argument(metavar="BATCH", help="The id of the batch.", autocompletion=batch_ids)]


@asks_the_service
def sweep(
    options: CommandOptions,
    file: FileArgument = None,
    stage: StageOption = None,
    assignments: SetOption = None,
    grid: GridOption = None,
    random: RandomOption = None,
    samples: SamplesOption = 1,
    name: NameOption = None,
    best: BestOption = 10,
    no_wait: NoWaitOption = False,
) -> None:
    """Submit a job for every combination of values, and show the best.

    gradyard sweep --stage autograd --grid learning_rate=1e-7,3e-7,1e-6 --grid seed=0:100

    gradyard sweep spec.json --grid optimizer.momentum=0.5,0.9,0.99 --no-wait

    gradyard sweep --stage optim --random learning_rate=1e-4:1e-2:log --samples 50
    """
    spec = spec_from(file, stage, assignments or [])
    values, drawn = axes_from(grid or [], random or [], assignments or [])
    paths = [*values, *drawn]
    with options.connect(LONG_RETRY_SECONDS) as client:
        if any("." in each.partition("=")[0] for each in [*(assignments or []), *paths]) and "stage" in spec:
            spec = _with_default_kinds(spec, paths, client)
        batch = _submitted(lambda: client.sweep(spec, grid=values, random=drawn, samples=samples, name=name))
        if no_wait:
            print_json(batch.as_json()) if options.as_json else typer.echo(batch.id)
            return
        _follow_and_report(client, batch, paths, best, options.as_json)


@asks_the_service
def watch_batch(options: CommandOptions, batch: BatchArgument, best: BestOption = 10) -> None:
    """Follow a batch until it is finished, and show the best jobs.

    The exit status is 0 if every job succeeded, else 1. Ctrl-C ends the watching, not the batch.
    """
    with options.connect(LONG_RETRY_SECONDS) as client:
        found = client.batches.get(batch)
        _follow_and_report(client, found, axes(found), best, options.as_json)


def _submitted(submit: Callable[[], Batch]) -> Batch:
    try:
        return submit()
    except KeyboardInterrupt:
        lists = f"`{text.command_as_called()} batches` lists the batch if it was stored"
        typer.echo(f"interrupted before the service answered; {lists}", err=True)
        raise typer.Exit(130) from None


def _with_default_kinds(spec: dict[str, Any], paths: list[str], client: Client) -> dict[str, Any]:
    """The spec with each part that a path leads into; such a part gets the kind that the stage has by default."""
    parts: dict[str, Any] = {path.partition(".")[0]: {} for path in paths if "." in path}
    return with_kinds({**parts, **spec}, client.stage(str(spec["stage"])).defaults)


def _follow_and_report(client: Client, batch: Batch, varied: list[str], best: int, as_json: bool) -> None:
    """Shows the progress and the failures on stderr, the best jobs on stdout. Exits with 1 unless all succeeded."""
    batch = _follow(client, batch)
    best_jobs = client.batches.best(batch.id, best) if best else []
    if as_json:
        print_json({"batch": batch.as_json(), "best": [job.as_json() for job in best_jobs]})
    else:
        for line in (f"batch {batch.id}: {counts(batch)}", *failure_lines(batch)):
            typer.echo(line, err=True)
        if best_jobs:
            print_table(best_table(best_jobs, varied))
    if batch.counts.get("succeeded") != batch.size:
        raise typer.Exit(1)


def _follow(client: Client, batch: Batch) -> Batch:
    try:
        typer.echo(f"batch {batch.id}: {batch.size:,} jobs", err=True)
        return _with_progress(client, batch)
    except KeyboardInterrupt:
        command = f"{text.command_as_called()} batches"
        goes_on = f"`{command} watch {batch.id}` follows it again, `{command} cancel {batch.id}` stops it"
        typer.echo(f"batch {batch.id} goes on; {goes_on}", err=True)
        raise typer.Exit(130) from None


def _with_progress(client: Client, batch: Batch) -> Batch:
    shown = console(stderr=True)
    columns = (SpinnerColumn(finished_text=" "), TextColumn("{task.description}", markup=False), BarColumn(),
               MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[counts]}"))  # fmt: skip
    with Progress(*columns, console=shown, disable=not shown.is_terminal) as progress:
        task = progress.add_task(text.printable(batch.name or "batch"), total=batch.size, counts="")
        return client.batches.wait(
            batch.id, lambda now: progress.update(task, completed=_finished(now), counts=counts(now))
        )


def _finished(batch: Batch) -> int:
    return batch.size - batch.counts.get("queued", 0) - batch.counts.get("running", 0)
