"""Commands for many jobs at once: sweep, batches."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gradyard.cli.commands.jobs import PANEL, FileArgument, SetOption, StageOption
from gradyard.cli.options import (
    LONG_RETRY_SECONDS,
    JsonOption,
    KeyOption,
    StateDirOption,
    UrlOption,
    connect,
    print_json,
)
from gradyard.cli.spec_arguments import axis_from, drawn_from, spec_from, with_kinds
from gradyard.cli.tables import batches_table, best_table
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
CountOption = Annotated[int, typer.Option("--best", help="How many of the best jobs to show.")]
NoWaitOption = Annotated[bool, typer.Option("--no-wait", help="Print the id of the batch and do not wait.")]
BatchArgument = Annotated[str, typer.Argument(metavar="BATCH", help="The id of the batch.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="CSV with a line for each loss: job,step,loss.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="Write to this file. Default: stdout.")]
LimitOption = Annotated[int, typer.Option("--limit", help="How many batches to list, the newest first.")]


def register(app: typer.Typer) -> None:
    """Adds these commands to `app`."""
    app.command(rich_help_panel=PANEL)(sweep)
    app.command(rich_help_panel=PANEL)(batches)
    app.command(rich_help_panel=PANEL)(export)


def sweep(
    file: FileArgument = None,
    stage: StageOption = None,
    assignments: SetOption = None,
    grid: GridOption = None,
    random: RandomOption = None,
    samples: SamplesOption = 1,
    name: NameOption = None,
    best: CountOption = 10,
    no_wait: NoWaitOption = False,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Submit a job for every combination of some values, follow their progress, and show the best.

    gradyard sweep --stage autograd --grid learning_rate=1e-7,3e-7,1e-6 --grid seed=0:100

    gradyard sweep spec.json --grid optimizer.momentum=0.5,0.9,0.99 --no-wait

    gradyard sweep --stage optim --random learning_rate=1e-4:1e-2:log --samples 50
    """
    spec = spec_from(file, stage, assignments or [])
    axes = dict(axis_from(each) for each in grid or [])
    drawn = dict(drawn_from(each) for each in random or [])
    paths = [*axes, *drawn]
    with connect(url, key, state_dir, LONG_RETRY_SECONDS) as client:
        if any("." in each.partition("=")[0] for each in [*(assignments or []), *paths]) and "stage" in spec:
            spec = _with_default_kinds(spec, paths, client)
        batch = client.sweep(spec, grid=axes, random=drawn, samples=samples, name=name)
        if no_wait:
            typer.echo(batch.id)
            return
        _follow(client, batch)
        _report(client, client.batch(batch.id), paths, best, as_json)


def batches(
    limit: LimitOption = 20,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """List the batches, the newest first."""
    with connect(url, key, state_dir) as client:
        listed = list(client.batches(limit=limit))
    if as_json:
        print_json([batch.as_json() for batch in listed])
    elif listed:
        print_table(batches_table(listed))
    else:
        typer.echo("there are no batches yet; `gradyard sweep` submits one")


def export(
    batch: BatchArgument,
    as_csv: CsvOption = False,
    out: OutOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Export every job of a batch with its result and all of its losses: one JSON object a line, or CSV.

    gradyard export 01a2081e-7429-7d9c-8bc3-0e0ab1fea600 --csv --out curves.csv
    """
    with connect(url, key, state_dir) as client:
        lines = client.export_lines(batch, csv=as_csv)
        if out is None:
            for line in lines:
                typer.echo(line)
            return
        with out.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)


def _with_default_kinds(spec: dict[str, Any], paths: list[str], client: Client) -> dict[str, Any]:
    """The spec with each part that a path leads into; such a part gets the kind that the stage has by default."""
    parts: dict[str, Any] = {path.partition(".")[0]: {} for path in paths if "." in path}
    return with_kinds({**parts, **spec}, client.stage(str(spec["stage"])).defaults)


def _follow(client: Client, batch: Batch) -> None:
    shown = console(stderr=True)
    columns = (SpinnerColumn(finished_text=" "), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn(), TextColumn("{task.fields[counts]}"))  # fmt: skip
    try:
        with Progress(*columns, console=shown, disable=not shown.is_terminal) as progress:
            task = progress.add_task(batch.name or "sweep", total=batch.size, counts="")
            client.wait_batch(
                batch.id, lambda now: progress.update(task, completed=_finished(now), counts=_counts(now))
            )
    except KeyboardInterrupt:
        typer.echo(f"batch {batch.id} goes on; `gradyard batches` shows its progress", err=True)
        raise typer.Exit(130) from None


def _finished(batch: Batch) -> int:
    return batch.size - batch.counts.get("queued", 0) - batch.counts.get("running", 0)


def _counts(batch: Batch) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in batch.counts.items() if count)


def _report(client: Client, batch: Batch, axes: list[str], best: int, as_json: bool) -> None:
    best_jobs = client.best(batch.id, best)
    if as_json:
        print_json({"batch": batch.as_json(), "best": [job.as_json() for job in best_jobs]})
    else:
        typer.echo(f"batch {batch.id}: {_counts(batch)}", err=True)
        print_table(best_table(best_jobs, axes))
    if batch.counts.get("succeeded") != batch.size:
        raise typer.Exit(1)
