"""Options of several commands, and the client that these commands use."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from gradyard.client.client import Client
from gradyard.client.endpoint import find_service
from gradyard.jobs.settings import Settings, load

UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="The URL of the service; else GRADYARD_URL, else the stack of the state folder."),
]
KeyOption = Annotated[str | None, typer.Option("--key", envvar="GRADYARD_KEY", help="The API key.")]
StateDirOption = Annotated[
    Path | None,
    typer.Option("--state-dir", help="The state folder; else GRADYARD_STATE_DIR, else ~/.local/state/gradyard."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

# How long a request that got no answer is repeated
SHORT_RETRY_SECONDS = 3.0  # a person waits for the answer
LONG_RETRY_SECONDS = 60.0  # a watched job outlives a restart of the service


def settings_for(state_dir: Path | None, **given: Any) -> Settings:
    """The settings of the environment; options of the command line win."""
    chosen = {name: value for name, value in given.items() if value is not None}
    if state_dir is not None:
        chosen["state_dir"] = state_dir.expanduser().absolute()
    return load(**chosen)


def connect(
    url: str | None, key: str | None, state_dir: Path | None, retry_seconds: float = SHORT_RETRY_SECONDS
) -> Client:
    """A client of the service that the options and the environment name."""
    found_url, found_key = find_service(url, key, settings_for(state_dir))
    return Client(found_url, found_key, retry_seconds=retry_seconds)


def print_json(value: Any) -> None:
    """Prints the value on stdout as indented JSON, and nothing else."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
