"""The `gradyard` command: its commands, its exit status, its error messages."""

import contextlib
import sys
from functools import cache
from importlib.metadata import version
from typing import Annotated, Any

import typer

from gradyard.cli.errors import BadUsage
from gradyard.cli.grammar import vocabulary
from gradyard.cli.grammar.options import CommandOptions, may_name_the_service
from gradyard.cli.grammar.usage import UsageError, usage_sentence
from gradyard.cli.output import standard_streams
from gradyard.client.errors import AnswerNotUnderstood, GradyardClientError, RefusedByService, Unreachable
from gradyard.jobs.errors import GradyardError
from gradyard.jobs.visible_text import one_line

FAILED, REFUSED, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130
KEY_HINT = (
    "; pass the key with --key or GRADYARD_KEY (which is sent to --url, GRADYARD_URL or the state folder's stack alone)"
)

app = typer.Typer(
    name="gradyard",
    cls=vocabulary.InOrder,
    help="Training jobs over HTTP, on queues of CPUs and GPUs, with every loss of every step kept.",
    epilog="--url, --key, --state-dir and --json may stand before the command as well; its own help explains them.\n\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage or refused by the service, 3 no service reached, 130 Ctrl-C.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
vocabulary.register(app)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"gradyard {version('gradyard')}")
        raise typer.Exit


@app.callback()
@may_name_the_service
def _gradyard(
    _: CommandOptions,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True)
    ] = False,
) -> None: ...


def main() -> None:
    """Runs the command line and exits. Expected errors are one line on stderr, without a traceback."""
    standard_streams.prepare()
    sys.exit(standard_streams.flushed(_status()))


@cache
def _command() -> Any:
    """The command with all of its verbs and options, which takes 50 ms to put together."""
    return typer.main.get_command(app)


def _status() -> int:
    try:
        status = _command()(prog_name="gradyard", standalone_mode=False)
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):
            return 0  # the reader, such as `head`, has seen enough
        return ended.code if isinstance(ended.code, int) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except typer.Abort:
        _say("nothing was changed")
        return FAILED
    except UsageError as error:
        if type(error).__name__ != "NoArgsIsHelpError":  # which has shown the help
            _say(usage_sentence(error))
        return REFUSED
    except (GradyardClientError, GradyardError) as error:
        hint = KEY_HINT if getattr(error, "status", 0) == 401 else ""
        _say(f"{error}{hint}")
        return _status_for(error)
    except OSError as error:
        _say(standard_streams.failure(error))
        return FAILED
    return status if isinstance(status, int) else 0


def _say(message: str) -> None:
    lines = [one_line(line) for line in message.split("\n")]
    with contextlib.suppress(OSError):  # stderr is full or closed
        typer.echo("gradyard: " + "\n".join(lines), err=True)


def _status_for(error: Exception) -> int:
    if isinstance(error, Unreachable | AnswerNotUnderstood):
        return UNREACHABLE
    return REFUSED if isinstance(error, RefusedByService | BadUsage | GradyardError) else FAILED
