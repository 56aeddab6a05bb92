"""Commands for the tables of the database: db upgrade, db downgrade."""

from typing import Annotated

import typer

from gradyard.cli.options import StateDirOption, settings_for
from gradyard.local.database_upgrade import downgrade_tables, upgrade_tables
from gradyard.local.launch import absolute

app = typer.Typer(help="Upgrade or downgrade the tables of the database (DATABASE_URL).", no_args_is_help=True)

RevisionArgument = Annotated[
    str, typer.Argument(metavar="REVISION", help="The revision to upgrade to. Default: the newest.")
]
TargetArgument = Annotated[
    str, typer.Argument(metavar="REVISION", help="The revision to go back to; -1: one step back; base: no tables.")
]


@app.command()
def upgrade(revision: RevisionArgument = "head", state_dir: StateDirOption = None) -> None:
    """Upgrade the tables to this version. It is safe to repeat.

    DATABASE_URL=postgresql://user@host/name gradyard db upgrade
    """
    settings = settings_for(state_dir)
    if settings.database_url is None:
        settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    upgrade_tables(absolute(settings.database), revision)
    typer.echo("the tables are up to date" if revision == "head" else f"the tables are at {revision}")


@app.command(context_settings={"ignore_unknown_options": True})
def downgrade(revision: TargetArgument, state_dir: StateDirOption = None) -> None:
    """Take the tables back to an older version. `base` removes them, with every job in them.

    gradyard db downgrade -1
    """
    downgrade_tables(absolute(settings_for(state_dir).database), revision)
    typer.echo(f"the tables are at {revision}")
