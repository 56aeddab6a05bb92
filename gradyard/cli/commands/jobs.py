"""Commands that follow one job until it is finished: submit, watch."""

from typing import Annotated

import typer
from rich.text import Text

from gradyard.cli import text
from gradyard.cli.arguments.spec import spec_from, with_kinds
from gradyard.cli.grammar.completion import job_ids, stage_names
from gradyard.cli.grammar.options import LONG_RETRY_SECONDS, CommandOptions, asks_the_service, print_json
from gradyard.cli.progress import follow
from gradyard.cli.terminal import console
from gradyard.client.client import Client
from gradyard.shapes import Job

FileArgument = Annotated[str | None, typer.Argument(metavar="FILE", help="A JSON file with the spec; - reads stdin.")]
StageOption = Annotated[
    str | None,
    typer.Option("--stage", help="The stage to train; see `gradyard stages`.", autocompletion=stage_names),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Set a parameter, as JSON or text; repeatable.",
    ),
]
WaitOption = Annotated[
    bool, typer.Option("--wait", "-w", help="Wait until the job is finished, and show its progress.")
]
IdempotencyKeyOption = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key", metavar="TEXT", help="Submitting again with the same key and spec gives the same job."
    ),
]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The id of the job.", autocompletion=job_ids)]


@asks_the_service
def submit(
    options: CommandOptions,
    file: FileArgument = None,
    stage: StageOption = None,
    assignments: SetOption = None,
    wait: WaitOption = False,
    idempotency_key: IdempotencyKeyOption = None,
) -> None:
    """Submit a job and print its id.

    gradyard submit --stage optim --set learning_rate=1e-3 --wait

    gradyard submit --stage numpy --set dataset.points=100 --set name=short

    gradyard submit spec.json --set seed=7 --json
    """
    spec = spec_from(file, stage, assignments or [])
    with options.connect(LONG_RETRY_SECONDS if wait else 10.0) as client:
        if any("." in assignment.partition("=")[0] for assignment in assignments or []) and "stage" in spec:
            spec = with_kinds(spec, client.stage(str(spec["stage"])).defaults)
        job = client.submit(spec, idempotency_key=idempotency_key)
        for warning in job.warnings:
            typer.echo(f"warning: {text.warning(warning)}", err=True)
        if wait:
            if not options.as_json:
                typer.echo(job.id)
            _wait_and_report(client, job, options.as_json)
        elif options.as_json:
            print_json(job.as_json())
        else:
            typer.echo(job.id)


@asks_the_service
def watch(
    options: CommandOptions,
    job_id: IdArgument,
) -> None:
    """Follow a job until it is finished.

    The exit status is 0 if it succeeded, else 1. Ctrl-C ends the watching, not the job.
    """
    with options.connect(LONG_RETRY_SECONDS) as client:
        _wait_and_report(client, client.job(job_id), options.as_json)


def _wait_and_report(client: Client, job: Job, as_json: bool) -> None:
    """Shows the progress on stderr and the outcome on stdout. Exits with 1 unless the job succeeded."""
    watched = [job]
    try:
        follow(client, watched, console(stderr=True))
    except KeyboardInterrupt:
        typer.echo(f"job {job.id} goes on; `{text.command_as_called()} watch {job.id}` follows it again", err=True)
        raise typer.Exit(130) from None
    [job] = watched
    if as_json:
        print_json(job.as_json())
    else:
        seconds = job.timings.get("train_seconds")
        after = f" in {text.duration(seconds)}" if seconds is not None else ""
        console().print(Text(f"{job.state}{after}: {text.outcome(job)}"))
    if not job.succeeded:
        raise typer.Exit(1)
