"""Commands for API keys: keys create, keys list, keys revoke."""

from typing import Annotated

import typer

from gradyard.cli.options import JsonOption, KeyOption, StateDirOption, UrlOption, connect, print_json
from gradyard.cli.tables import keys_table
from gradyard.cli.terminal import print_table

app = typer.Typer(
    help="Create, list and revoke API keys; each key opens one project. For the administrator.", no_args_is_help=True
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The person or program that will use the key.")]
ProjectOption = Annotated[
    str | None, typer.Option("--project", help="The project that it opens; created if it is new. Default: default.")
]
ScopesOption = Annotated[
    list[str] | None,
    typer.Option("--scope", help="jobs:read, jobs:write, metrics:read or admin; repeatable. Default: the first two."),
]
DaysOption = Annotated[
    float | None, typer.Option("--expires-in-days", help="Days until the key expires. Default: never.")
]
IdsArgument = Annotated[list[str], typer.Argument(metavar="ID...", help="The ids of the keys.")]


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
    """Create a key and print it. It is shown once and stored nowhere.

    gradyard keys create ada --project physics

    gradyard keys create prometheus --scope metrics:read
    """
    with connect(url, key, state_dir) as client:
        created = client.make_key(name, project=project, scopes=scope, expires_in_days=expires_in_days)
    if as_json:
        print_json(created.as_json())
        return
    typer.echo(f"{created.name} may {', '.join(created.scopes)} in the project {created.project}:", err=True)
    typer.echo(created.key)


@app.command("list")
def list_keys(
    as_json: JsonOption = False, url: UrlOption = None, key: KeyOption = None, state_dir: StateDirOption = None
) -> None:
    """List all keys, including revoked and expired ones."""
    with connect(url, key, state_dir) as client:
        keys = client.keys()
    if keys or as_json:
        print_json([key.as_json() for key in keys]) if as_json else print_table(keys_table(keys))
    else:
        typer.echo("there is no key yet; `gradyard keys create NAME` creates one")


@app.command()
def revoke(ids: IdsArgument, url: UrlOption = None, key: KeyOption = None, state_dir: StateDirOption = None) -> None:
    """Revoke keys: within seconds they open nothing.

    gradyard keys revoke 01a2081e-7429-7d9c-8bc3-0e0ab1fea600
    """
    with connect(url, key, state_dir) as client:
        for key_id in ids:
            client.revoke_key(key_id)
            typer.echo(f"{key_id} revoked")
