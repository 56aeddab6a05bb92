"""The command that prints what a job's runner printed: logs."""

from typing import Annotated

import typer
from rich.text import Text

from gradyard.cli import text
from gradyard.cli.grammar.ids import IdArgument
from gradyard.cli.grammar.options import LONG_RETRY_SECONDS, CommandOptions, asks_the_service, print_json
from gradyard.cli.live.json_lines import print_line
from gradyard.cli.terminal import console
from gradyard.client.client import Client
from gradyard.jobs.states import State
from gradyard.jobs.visible_text import visible
from gradyard.shapes import AttemptLog, Job, Move

FollowOption = Annotated[
    bool, typer.Option("--follow", "-f", help="Go on with those of later attempts until the job has ended.")
]


@asks_the_service
def logs(options: CommandOptions, job_id: IdArgument, follow: FollowOption = False) -> None:
    """Print what the runner of a job printed, and the traceback of an error.

    The last 64 KiB of each attempt are kept. The log of an attempt is there when the attempt has ended.

    gradyard logs ID

    gradyard logs ID --follow
    """
    with options.connect(LONG_RETRY_SECONDS if follow else 3.0) as client:
        if follow:
            _follow(client, job_id, options.as_json)
            return
        attempts = client.logs(job_id)
    if options.as_json:
        print_json([log.as_json() for log in attempts])
        return
    for log in attempts:
        _print(log)
    if not attempts:
        typer.echo("no logs", err=True)


def _follow(client: Client, job_id: str, as_json: bool) -> None:
    """Prints each log when its attempt has ended. With JSON one log a line."""
    printed = set[int]()
    try:
        for event in client.watch(job_id):
            if isinstance(event, Job) or (isinstance(event, Move) and event.from_state is State.RUNNING):
                for log in client.logs(job_id):
                    if log.attempt not in printed:
                        printed.add(log.attempt)
                        print_line(log.as_json()) if as_json else _print(log)
    except KeyboardInterrupt:
        command = text.command_as_called()
        typer.echo(f"job {job_id} goes on; `{command} logs --follow {job_id}` follows its logs again", err=True)
        raise typer.Exit(130) from None
    if not printed:
        typer.echo("no logs", err=True)


def _print(log: AttemptLog) -> None:
    cut = ", the last 64 KiB" if log.truncated else ""
    console().print(Text(f"attempt {log.attempt}{cut}", style="dim"))
    typer.echo(visible(log.text.removesuffix("\n")))
