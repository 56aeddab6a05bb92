"""Commands for API keys: keys create, keys list, keys rotate, keys revoke."""

import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gradyard.cli.commands.changes import Change, change_each
from gradyard.cli.errors import BadUsage
from gradyard.cli.grammar.options import CommandOptions, asks_the_service, print_json
from gradyard.cli.key_list import KeyFile, WantedKey, read_names, refuse_names_in_use
from gradyard.cli.output.shown_once import keys_said_if_lost
from gradyard.cli.tables import keys_table
from gradyard.cli.terminal import print_table
from gradyard.client.client import Client
from gradyard.client.errors import CannotWrite
from gradyard.shapes import NewApiKey

NameArgument = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="The person or program that will use the key.")
]
NamesOption = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="A file of names: one a line, or CSV (name,project,scopes)."),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="A new file for the keys of --from; you alone can read it."),
]
ProjectOption = Annotated[
    str | None, typer.Option("--project", help="The project that it opens; created if it is new. Default: your own.")
]
ScopesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        help="jobs:read, jobs:write, files:write, metrics:read, admin or operator; repeatable. Default: the first two.",
    ),
]
DaysOption = Annotated[
    float | None, typer.Option("--expires-in-days", help="Days until the key expires. Default: never.")
]
OverlapOption = Annotated[
    float, typer.Option("--overlap-hours", min=0, help="For how long the old key opens the project beside the new one.")
]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The id of the key.")]
IdsArgument = Annotated[list[str] | None, typer.Argument(metavar="ID...", help="The ids of the keys.")]


@asks_the_service
def create(
    options: CommandOptions,
    name: NameArgument = None,
    names: NamesOption = None,
    out: OutOption = None,
    project: ProjectOption = None,
    scope: ScopesOption = None,
    expires_in_days: DaysOption = None,
) -> None:
    """Create a key and print it, or a key for each name of a file. They are shown once and stored nowhere.

    gradyard keys create ada --project physics

    gradyard keys create prometheus --scope metrics:read

    gradyard keys create --from students.txt --project course --out keys.csv
    """
    project, options = project or options.project, replace(options, project=None)
    if (name is None) is (names is None):
        raise BadUsage("name one person or program, or a file of names by --from")
    if names is not None:
        _create_many(options, read_names(names, project, scope), out, expires_in_days)
        return
    if out is not None:
        raise BadUsage("--out is for the keys of --from")
    with options.connect() as client:
        created = client.make_key(str(name), project=project, scopes=scope, expires_in_days=expires_in_days)
    _print(options, created, f"{created.name} may {', '.join(created.scopes)} in the project {created.project}:")


def _print(options: CommandOptions, made: NewApiKey, words: str) -> None:
    with keys_said_if_lost([made]):
        if options.as_json:
            print_json(made.as_json())
            return
        with contextlib.suppress(OSError):  # stderr is full or closed
            typer.echo(words, err=True)
        typer.echo(made.key)


def _create_many(options: CommandOptions, wanted: list[WantedKey], out: Path | None, days: float | None) -> None:
    made: list[NewApiKey] = []
    with options.connect() as client:
        refuse_names_in_use(wanted, client.keys())
        file = KeyFile.create(out) if out is not None else None if options.as_json else KeyFile(sys.stdout)
        try:
            for key in wanted:
                made.append(client.make_key(key.name, project=key.project, scopes=key.scopes, expires_in_days=days))
                _write_down(file, made[-1])
        finally:
            if out is not None and file is not None:
                file.close()
            if options.as_json and out is None:
                with keys_said_if_lost(made):
                    print_json([each.as_json() for each in made])
            if len(made) < len(wanted):
                not_made = f"{wanted[len(made)]} was not, nor any after it"
                typer.echo(f"gradyard: {len(made)} of {len(wanted)} keys were created; {not_made}", err=True)
    words = "key was" if len(made) == 1 else "keys were"
    typer.echo(f"{len(made)} {words} created" + (f", in {out}" if out is not None else ""), err=True)


def _write_down(file: KeyFile | None, key: NewApiKey) -> None:
    try:
        if file is not None:
            file.add(key)
    except OSError as error:  # the key is made, and cannot be read again
        with keys_said_if_lost([key]):
            typer.echo(key.key)
        reason = error.strerror or str(error)
        raise CannotWrite(f"the file of keys cannot be written ({reason}); the key of {key.name} is above") from None


@asks_the_service
def list_keys(options: CommandOptions) -> None:
    """List all keys, including revoked and expired ones."""
    with options.connect() as client:
        keys = client.keys()
    if keys or options.as_json:
        print_json([key.as_json() for key in keys]) if options.as_json else print_table(keys_table(keys))
    else:
        typer.echo("there is no key yet; `gradyard keys create NAME` creates one")


@asks_the_service
def rotate(
    options: CommandOptions, key_id: IdArgument, overlap_hours: OverlapOption = 24.0, expires_in_days: DaysOption = None
) -> None:
    """Create the successor of a key, with its name, project and scopes, and print it. It is shown once.

    gradyard keys rotate 01a2081e-7429-7d9c-8bc3-0e0ab1fea600 --overlap-hours 48
    """
    with options.connect() as client:
        made = client.rotate_key(key_id, overlap_hours=overlap_hours, expires_in_days=expires_in_days)
    _print(options, made, f"the new key of {made.name}; the old one expires in {overlap_hours:g} hours:")


@asks_the_service
def revoke(options: CommandOptions, ids: IdsArgument = None) -> None:
    """Revoke keys: within seconds they open nothing.

    gradyard keys revoke 01a2081e-7429-7d9c-8bc3-0e0ab1fea600
    """
    change_each(options, "revoke", ids, _revoke)


def _revoke(client: Client, key_id: str) -> Change:
    client.keys.revoke(key_id)
    return Change(f"{key_id} revoked", {"id": key_id, "revoked": True})
