"""Commands for the keys of the API: keys create, keys list, keys revoke."""

from typing import Annotated

import typer

from gradyard.cli.options import JsonOption, KeyOption, StateDirOption, UrlOption, connect, print_json
from gradyard.cli.tables import console, keys_table

app = typer.Typer(
    help="Make, list and revoke keys, each of which opens one project. For the administrator.", no_args_is_help=True
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Who will use it: a person or a program.")]
ProjectOption = Annotated[
    str | None, typer.Option("--project", help="What it opens; made where there is none of that name. Else: default.")
]
ScopesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--scope", help="jobs:read, jobs:write, metrics:read or admin; may be given often. Else: the first two."
    ),
]
DaysOption = Annotated[float | None, typer.Option("--expires-in-days", help="When it ends; never, if not given.")]
IdsArgument = Annotated[list[str], typer.Argument(metavar="ID...", help="Keys, by their ids.")]


@app.command()
def create(
    name: NameArgument,
    project: ProjectOption = None,
    scope: ScopesOption = None,
    expires_in_days: DaysOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Make a key and print it; it is told this once and kept nowhere.

    gradyard keys create ada --project physics

    gradyard keys create prometheus --scope metrics:read
    """
    with connect(url, key, state_dir) as client:
        made = client.make_key(name, project=project, scopes=scope, expires_in_days=expires_in_days)
    if as_json:
        print_json(made.as_json())
        return
    typer.echo(f"{made.name} may {', '.join(made.scopes)} in the project {made.project}:", err=True)
    typer.echo(made.key)


@app.command("list")
def list_keys(
    as_json: JsonOption = False, url: UrlOption = None, key: KeyOption = None, state_dir: StateDirOption = None
) -> None:
    """List all keys, also those that are revoked or expired."""
    with connect(url, key, state_dir) as client:
        found = client.keys()
    if found or as_json:
        print_json([each.as_json() for each in found]) if as_json else console().print(keys_table(found))
    else:
        typer.echo("there is no key yet; `gradyard keys create NAME` makes one")


@app.command()
def revoke(ids: IdsArgument, url: UrlOption = None, key: KeyOption = None, state_dir: StateDirOption = None) -> None:
    """Let keys open nothing any more.

    gradyard keys revoke 01a2081e-7429-7d9c-8bc3-0e0ab1fea600
    """
    with connect(url, key, state_dir) as client:
        for key_id in ids:
            client.revoke_key(key_id)
            typer.echo(f"{key_id} opens nothing any more")
