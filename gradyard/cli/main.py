"""The `gradyard` command: its commands, its exit status, its error messages."""

import sys
from importlib.metadata import version
from io import TextIOWrapper
from typing import Annotated

import typer

from gradyard.cli import text
from gradyard.cli.commands import (
    api_keys,
    batches,
    database,
    fleet,
    inspect_jobs,
    jobs,
    metrics_and_artifacts,
    processes,
)
from gradyard.cli.errors import BadUsage
from gradyard.client.errors import AnswerNotUnderstood, GradyardClientError, RefusedByService, Unreachable
from gradyard.jobs.errors import GradyardError

FAILED, REFUSED, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(
    name="gradyard",
    help="Training jobs over HTTP, on queues of CPUs and GPUs, with every loss of every step kept.",
    epilog="Exit status: 0 done, 1 failed, 2 wrong usage or refused by the service, 3 no service reached, 130 Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
processes.register(app)
jobs.register(app)
batches.register(app)
inspect_jobs.register(app)
metrics_and_artifacts.register(app)
fleet.register(app)
app.add_typer(api_keys.app, name="keys", rich_help_panel=fleet.PANEL)
app.add_typer(database.app, name="db", rich_help_panel="Processes")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"gradyard {version('gradyard')}")
        raise typer.Exit


@app.callback()
def _gradyard(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True)
    ] = False,
) -> None: ...


def main() -> None:
    """Runs the command line and exits. Expected errors are one line on stderr, without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace", line_buffering=True)  # a terminal without braille shows the rest
    sys.exit(_status())


def _status() -> int:
    try:
        app(prog_name="gradyard")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except (GradyardClientError, GradyardError) as error:
        hint = "; pass the key with --key or GRADYARD_KEY" if getattr(error, "status", 0) == 401 else ""
        lines = [text.printable(line) for line in f"{error}{hint}".split("\n")]
        typer.echo("gradyard: " + "\n".join(lines), err=True)
        return _status_for(error)
    return 0


def _status_for(error: Exception) -> int:
    if isinstance(error, Unreachable | AnswerNotUnderstood):
        return UNREACHABLE
    return REFUSED if isinstance(error, RefusedByService | BadUsage | GradyardError) else FAILED
