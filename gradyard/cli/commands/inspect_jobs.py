"""Commands that show jobs: jobs, show, losses, logs."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from gradyard.cli import text
from gradyard.cli.commands.jobs import PANEL, IdArgument
from gradyard.cli.commands.metrics_and_artifacts import write_npy
from gradyard.cli.errors import BadUsage
from gradyard.cli.job_details import CURVE_HEIGHT, WIDEST, job_details
from gradyard.cli.loss_chart import curve
from gradyard.cli.options import JsonOption, KeyOption, StateDirOption, UrlOption, connect, print_json
from gradyard.cli.tables import jobs_table
from gradyard.cli.terminal import console, print_table
from gradyard.client.client import Client
from gradyard.jobs.states import State

StateOption = Annotated[State | None, typer.Option("--state", help="Only jobs in this state.")]
StageOption = Annotated[str | None, typer.Option("--stage", help="Only jobs of this stage.")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many jobs to list, the newest first.")]
IdsOption = Annotated[bool, typer.Option("--ids", help="Print only the ids, one a line.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print every step as CSV: step,loss.")]
NpyOption = Annotated[
    Path | None, typer.Option("--npy", metavar="FILE", help="Write every step to FILE in numpy's NPY format.")
]


def register(app: typer.Typer) -> None:
    """Adds these commands to `app`."""
    app.command("jobs", rich_help_panel=PANEL)(list_jobs)
    app.command(rich_help_panel=PANEL)(show)
    app.command(rich_help_panel=PANEL)(losses)
    app.command(rich_help_panel=PANEL)(logs)


def list_jobs(
    state: StateOption = None,
    stage: StageOption = None,
    limit: LimitOption = 20,
    ids: IdsOption = False,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """List jobs, the newest first.

    gradyard jobs --state running

    gradyard jobs --stage optim -n 500 --json
    """
    with connect(url, key, state_dir) as client:
        listed = list(client.jobs(state=state, stage=stage, limit=limit))
    if as_json:
        print_json([job.as_json() for job in listed])
    elif ids:
        typer.echo("".join(f"{job.id}\n" for job in listed), nl=False)
    elif listed:
        print_table(jobs_table(listed))
    else:
        typer.echo(
            "there are no such jobs" if state or stage else "there are no jobs yet; `gradyard submit` submits one"
        )


def show(
    job_id: IdArgument,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Show one job: its spec, result, loss curve and event log."""
    with connect(url, key, state_dir) as client:
        job = client.job(job_id)
        if as_json:
            print_json(job.as_json())
            return
        points = client.loss_points(job_id) if job.steps_done or job.finished else None
        terminal = console()
        terminal.print(job_details(job, client.events(job_id), points, terminal))


def losses(
    job_id: IdArgument,
    csv: CsvOption = False,
    npy: NpyOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Draw the loss curve of a job, or export every loss.

    gradyard losses ID

    gradyard losses ID --csv > losses.csv

    gradyard losses ID --npy losses.npy
    """
    if csv + as_json + (npy is not None) > 1:
        raise BadUsage("losses: choose one of --csv, --npy and --json")
    with connect(url, key, state_dir) as client:
        if npy is not None:
            write_npy(client.losses(job_id), npy)
        elif csv:
            every = client.losses(job_id)
            sys.stdout.write("step,loss\n")
            sys.stdout.writelines(f"{step},{loss!s}\n" for step, loss in enumerate(every))
        elif as_json:
            every = client.losses(job_id)
            shortest = [float(str(loss)) for loss in every]  # float64 would show digits that a float32 does not have
            typer.echo(json.dumps({"steps": list(range(len(every))), "losses": shortest}))
        else:
            _draw(client, job_id)


def logs(
    job_id: IdArgument,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Print the logs of a job: the output of its runner and the traceback of an error, 64 KiB of each attempt.

    gradyard logs ID
    """
    with connect(url, key, state_dir) as client:
        attempts = client.logs(job_id)
    if as_json:
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
    width = min(console().width, WIDEST)
    typer.echo("\n".join(curve(values, steps=steps, width=width, height=CURVE_HEIGHT + 4)))
