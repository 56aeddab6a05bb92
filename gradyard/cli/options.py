"""The options that several commands share, and the client that they ask for."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from gradyard.client.client import Client
from gradyard.client.endpoint import find_service
from gradyard.jobs.settings import Settings, load

UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="Where the service is; else GRADYARD_URL, else the stack of the state folder."),
]
KeyOption = Annotated[
    str | None, typer.Option("--key", envvar="GRADYARD_KEY", help="An API key, where one is asked for.")
]
StateDirOption = Annotated[
    Path | None,
    typer.Option("--state-dir", help="The state folder; else GRADYARD_STATE_DIR, else ~/.local/state/gradyard."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON, for scripts.")]

SHORT_PATIENCE_SECONDS = 3.0  # a person waits for an answer
LONG_PATIENCE_SECONDS = 60.0  # a watched job outlives a restart of the service


def settings_for(state_dir: Path | None, **given: Any) -> Settings:
    """The settings of the environment, under what was given on the command line."""
    chosen = {name: value for name, value in given.items() if value is not None}
    if state_dir is not None:
        chosen["state_dir"] = state_dir.expanduser().absolute()
    return load(**chosen)


def connect(
    url: str | None, key: str | None, state_dir: Path | None, patience_seconds: float = SHORT_PATIENCE_SECONDS
) -> Client:
    """The client for a command."""
    found_url, found_key = find_service(url, key, settings_for(state_dir))
    return Client(found_url, found_key, retry_seconds=patience_seconds)


def print_json(value: Any) -> None:
    """A value on stdout, for scripts: indented, and not a byte more."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
