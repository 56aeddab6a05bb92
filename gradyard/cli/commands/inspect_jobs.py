"""Commands that show jobs: jobs, show, losses, logs."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from gradyard.cli import text
from gradyard.cli.commands.jobs import IdArgument
from gradyard.cli.commands.metrics_and_artifacts import write_npy
from gradyard.cli.errors import BadUsage
from gradyard.cli.grammar.completion import batch_ids, stage_names
from gradyard.cli.grammar.options import CommandOptions, asks_the_service, print_json
from gradyard.cli.job_details import CURVE_HEIGHT, WIDEST, job_details
from gradyard.cli.lists import USUAL_LIMIT, newest, say_that_it_is_cut
from gradyard.cli.output.loss_chart import curve
from gradyard.cli.tables import jobs_table
from gradyard.cli.terminal import console, print_table
from gradyard.client.client import Client
from gradyard.jobs.states import State

StateOption = Annotated[State | None, typer.Option("--state", help="Only jobs in this state.")]
StageOption = Annotated[
    str | None, typer.Option("--stage", help="Only jobs of this stage.", autocompletion=stage_names)
]
BatchOption = Annotated[str | None, typer.Option("--batch", help="Only jobs of this batch.", autocompletion=batch_ids)]
LimitOption = Annotated[
    int | None, typer.Option("--limit", "-n", min=1, help="How many to list. Default: 20; with --ids all.")
]
IdsOption = Annotated[bool, typer.Option("--ids", help="Print only the ids, one a line.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print every step as CSV: step,loss.")]
NpyOption = Annotated[
    Path | None, typer.Option("--npy", metavar="FILE", help="Write every step to FILE in numpy's NPY format.")
]


@asks_the_service
def list_jobs(
    options: CommandOptions,
    state: StateOption = None,
    stage: StageOption = None,
    batch: BatchOption = None,
    limit: LimitOption = None,
    ids: IdsOption = False,
) -> None:
    """List jobs, the newest first.

    gradyard jobs --state running

    gradyard jobs --batch BATCH --state failed

    gradyard jobs --stage optim -n 500 --json
    """
    most = limit or (None if ids else USUAL_LIMIT)
    with options.connect() as client:
        listed, more = newest(client.jobs(state=state, stage=stage, batch=batch), most)
    if options.as_json:
        print_json([job.id for job in listed] if ids else [job.as_json() for job in listed])
    elif ids:
        typer.echo("".join(f"{job.id}\n" for job in listed), nl=False)
    elif listed:
        print_table(jobs_table(listed))
    else:
        chosen = state or stage or batch
        typer.echo("there are no such jobs" if chosen else "there are no jobs yet; `gradyard submit` submits one")
    if more:
        say_that_it_is_cut(len(listed), more)


@asks_the_service
def show(
    options: CommandOptions,
    job_id: IdArgument,
) -> None:
    """Show a job: its spec, result, loss curve and event log."""
    with options.connect() as client:
        job = client.job(job_id)
        if options.as_json:
            print_json(job.as_json())
            return
        points = client.loss_points(job_id) if job.steps_done or job.finished else None
        terminal = console()
        terminal.print(job_details(job, client.events(job_id), points, terminal))


@asks_the_service
def losses(
    options: CommandOptions,
    job_id: IdArgument,
    csv: CsvOption = False,
    npy: NpyOption = None,
) -> None:
    """Draw the loss curve of a job, or export every loss.

    gradyard losses ID

    gradyard losses ID --csv > losses.csv

    gradyard losses ID --npy losses.npy
    """
    if csv + options.as_json + (npy is not None) > 1:
        raise BadUsage("losses: choose one of --csv, --npy and --json")
    with options.connect() as client:
        if npy is not None:
            write_npy(client.losses(job_id), npy)
        elif csv:
            every = client.losses(job_id)
            sys.stdout.write("step,loss\n")
            sys.stdout.writelines(f"{step},{loss!s}\n" for step, loss in enumerate(every))
        elif options.as_json:
            every = client.losses(job_id)
            shortest = [float(str(loss)) for loss in every]  # float64 would show digits that a float32 does not have
            typer.echo(json.dumps({"steps": list(range(len(every))), "losses": shortest}))
        else:
            _draw(client, job_id)


@asks_the_service
def logs(
    options: CommandOptions,
    job_id: IdArgument,
) -> None:
    """Print what the runner of a job printed, and the traceback of an error.

    The last 64 KiB of each attempt are kept.

    gradyard logs ID
    """
    with options.connect() as client:
        attempts = client.logs(job_id)
    if options.as_json:
        print_json([log.as_json() for log in attempts])
        return
    for log in attempts:
        cut = ", the last 64 KiB" if log.truncated else ""
        typer.echo(typer.style(f"attempt {log.attempt}{cut}", dim=True))
        typer.echo("\n".join(text.printable(line.expandtabs()) for line in log.text.splitlines()))
    if not attempts:
        typer.echo("no logs", err=True)


def _draw(client: Client, job_id: str) -> None:
    steps, values = client.loss_points(job_id)
    if not len(values):
        typer.echo(text.why_no_losses(client.job(job_id)), err=True)
        return
    width = min(console().width, WIDEST)
    typer.echo("\n".join(curve(values, steps=steps, width=width, height=CURVE_HEIGHT + 4)))
