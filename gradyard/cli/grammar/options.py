"""The options of every command, declared once: `--url`, `--key`, `--project`, `--state-dir`, `--json`."""

import copy
import functools
import inspect
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec, Self, get_args

import typer

from gradyard.cli.errors import BadUsage
from gradyard.cli.grammar.whole_numbers import in_every_form
from gradyard.cli.output.standard_streams import shows_every_letter
from gradyard.client.client import Client
from gradyard.client.endpoint import find_service
from gradyard.jobs.settings import Settings, load

PANEL = "The service, and the form of the answer"

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url", help="Its URL; else GRADYARD_URL, else the stack of the state folder.", rich_help_panel=PANEL
    ),
]
KeyOption = Annotated[str | None, typer.Option("--key", help="The API key; else GRADYARD_KEY.", rich_help_panel=PANEL)]
ProjectOption = Annotated[
    str | None,
    typer.Option(
        "--project", metavar="NAME", help="Another project than the key's own; for operators.", rich_help_panel=PANEL
    ),
]
StateDirOption = Annotated[
    Path | None,
    typer.Option(
        "--state-dir", help="The state folder; else GRADYARD_STATE_DIR, else ~/.local/state/gradyard.",
        rich_help_panel=PANEL,
    ),
]  # fmt: skip
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.", rich_help_panel=PANEL)]
ALL: dict[str, tuple[Any, Any]] = {
    "url": (UrlOption, None), "key": (KeyOption, None), "project": (ProjectOption, None),
    "state_dir": (StateDirOption, None), "as_json": (JsonOption, False),
}  # fmt: skip
WRITTEN = {
    "url": "--url", "key": "--key", "project": "--project", "state_dir": "--state-dir", "as_json": "--json"
}  # fmt: skip

# How long a request that got no answer is repeated, once the service has answered
SHORT_RETRY_SECONDS = 3.0  # a person waits for the answer
LONG_RETRY_SECONDS = 60.0  # a watched job outlives a restart of the service

P = ParamSpec("P")


@dataclass(frozen=True)
class CommandOptions:
    """What the options of every command say. A command gets it as its first argument."""

    url: str | None = None
    key: str | None = None
    project: str | None = None
    state_dir: Path | None = None
    as_json: bool = False

    @classmethod
    def of(cls, context: typer.Context | None) -> Self:
        """The options as given after the verb, else before it, else before its noun."""
        found: dict[str, Any] = {}
        while context is not None:
            found = {name: value for name, value in context.params.items() if name in ALL and value} | found
            context = context.parent  # type: ignore[assignment]  # typer's own contexts all the way up
        return cls(**found)

    def settings(self, **given: Any) -> Settings:
        """The settings of the environment; options of the command line win."""
        chosen = {name: value for name, value in given.items() if value is not None}
        if self.state_dir is not None:
            chosen["state_dir"] = Path(self.state_dir).expanduser().absolute()
        return load(**chosen)

    def connect(self, retry_seconds: float = SHORT_RETRY_SECONDS) -> Client:
        """A client of the service that the options and the environment name. Where none is up, it says so at once."""
        settings = self.settings()
        key = self.key or (settings.key.get_secret_value() if self.url and settings.key else None)
        found_url, found_key = find_service(self.url, key, settings)
        return Client(found_url, found_key, project=self.project, retry_seconds=retry_seconds, reach_seconds=0.0)


Command = Callable[Concatenate[CommandOptions, P], None]


def asks_the_service(function: Command[P]) -> Callable[..., None]:
    """A command with the options `--url`, `--key`, `--project` (unless it has its own), `--state-dir` and `--json`."""
    return _with_options(function, ALL)


def runs_here(function: Command[P]) -> Callable[..., None]:
    """A command of this machine: of the shared options it has `--state-dir` alone, and refuses the others."""
    return _with_options(function, {"state_dir": ALL["state_dir"]})


def may_name_the_service(function: Command[P]) -> Callable[..., None]:
    """What stands before the verb: it takes the options of `asks_the_service`, and leaves their help to the verb."""
    return _with_options(function, {name: (_hidden(option), default) for name, (option, default) in ALL.items()})


def _hidden(option: Any) -> Any:
    kind, found = get_args(option)
    hidden = copy.copy(found)
    hidden.hidden = True
    return Annotated[kind, hidden]


def _with_options(function: Command[P], taken: dict[str, tuple[Any, Any]]) -> Callable[..., None]:
    kind, (_, *declared) = inspect.Parameter.KEYWORD_ONLY, inspect.signature(function).parameters.values()
    own_names = {each.name for each in declared}

    @functools.wraps(function)
    def command(context: typer.Context, **given: Any) -> None:
        options = CommandOptions.of(context)
        for name, written in WRITTEN.items():
            if getattr(options, name) and name not in taken:
                raise BadUsage(f"{context.command_path} takes no {written}")
        own = {name: value for name, value in given.items() if name in own_names}
        function(options, **own)  # type: ignore[call-arg]  # typer has checked them against the signature below

    # Typer reads the signature: that of `function`, with typer's context in place of the options that are made of it.
    own = [each.replace(kind=kind, annotation=in_every_form(each.annotation)) for each in declared]
    added = [
        inspect.Parameter(name, kind, default=default, annotation=option)
        for name, (option, default) in taken.items()
        if name not in own_names
    ]
    first = inspect.Parameter("context", kind, annotation=typer.Context)
    parameters = [first, *own, *added]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


def print_json(value: Any) -> None:
    """Prints the value on stdout as indented JSON, and nothing else."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=not shows_every_letter(sys.stdout)))
