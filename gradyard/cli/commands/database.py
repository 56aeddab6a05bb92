"""Commands for the database: db upgrade, downgrade, backup, restore, vacuum."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from gradyard.cli import text
from gradyard.cli.extras import OF_DATABASES, needs_extra
from gradyard.cli.grammar.options import CommandOptions, runs_here
from gradyard.local.copies.backup import back_up
from gradyard.local.copies.restore import restore as restore_from
from gradyard.local.database_upgrade import downgrade_tables, upgrade_tables
from gradyard.local.launch import absolute
from gradyard.local.state_folder import StateFolder
from gradyard.local.vacuum import vacuum as give_back_space
from gradyard.processes.private_folder import private_files

RevisionArgument = Annotated[
    str, typer.Argument(metavar="REVISION", help="The revision to upgrade to. Default: the newest for which both run.")
]
PostOption = Annotated[bool, typer.Option("--post", help="Also the steps for which the older version must be gone.")]
TargetArgument = Annotated[
    str, typer.Argument(metavar="REVISION", help="The revision to go back to; -1: one step back; base: no tables.")
]
BackupArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The file of the backup.")]
ReplaceFileOption = Annotated[bool, typer.Option("--force", help="Replace an older file of that name.")]
ReplaceDataOption = Annotated[
    bool, typer.Option("--force", help="Replace a database that holds jobs or keys; they are lost.")
]


@runs_here
@needs_extra("server", packages=OF_DATABASES)
def upgrade(options: CommandOptions, revision: RevisionArgument = "pre", post: PostOption = False) -> None:
    """Upgrade the tables to this version, while the older one runs. It is safe to repeat.

    DATABASE_URL=postgresql://user@host/name gradyard db upgrade
    """
    settings = options.settings()
    with contextlib.ExitStack() as private:
        if settings.database_url is None:
            StateFolder(settings.state_dir).prepare()
            private.enter_context(private_files())
        complete = upgrade_tables(absolute(settings.database), "head" if post else revision)
    typer.echo("the tables are up to date" if revision == "pre" else f"the tables are at {revision}")
    if not complete and revision == "pre":
        typer.echo("when no older version runs any more: gradyard db upgrade --post")


@runs_here
@needs_extra("server", packages=OF_DATABASES)
def downgrade(options: CommandOptions, revision: TargetArgument) -> None:
    """Take the tables back to an older version. `base` removes them, with every job in them.

    gradyard db downgrade -1
    """
    downgrade_tables(absolute(options.settings().database), revision)
    typer.echo(f"the tables are at {revision}")


@runs_here
@needs_extra("server", packages=OF_DATABASES)
def backup(options: CommandOptions, file: BackupArgument, force: ReplaceFileOption = False) -> None:
    """Copy the database into a file, while the service runs. The copy is checked before it gets its name.

    gradyard db backup monday.backup
    """
    revision = back_up(options.settings(), file.expanduser(), replace=force)
    typer.echo(f"backed up to {file} ({file.expanduser().stat().st_size / 2**20:,.1f} MiB, tables of {revision})")


@runs_here
@needs_extra("server", packages=OF_DATABASES)
def restore(options: CommandOptions, file: BackupArgument, force: ReplaceDataOption = False) -> None:
    """Replace the database by a backup. Stop the service first.

    gradyard db restore monday.backup
    """
    restored = restore_from(options.settings(), file.expanduser(), replace=force)
    typer.echo(f"restored from {file}: {text.jobs(restored.jobs)}, tables of {restored.revision}")
    if restored.running:
        typer.echo(f"running when it was made: {restored.running:,}; these are queued again seconds after workers")
        typer.echo("start, and go on from their last record in the backup")
    typer.echo("what was submitted or finished after the backup is not there; idempotency keys of that time are new")
    if restored.is_older:
        typer.echo("its tables are of an older version: run `gradyard db upgrade` (`gradyard up` does it by itself)")


@runs_here
@needs_extra("server", packages=OF_DATABASES)
def vacuum(options: CommandOptions) -> None:
    """Give the space of deleted jobs back to the disk. SQLite: in small steps, while the service runs.

    gradyard db vacuum
    """
    before, after = give_back_space(options.settings(), lambda line: typer.echo(line, err=True))
    typer.echo(f"the database has {after / 2**20:,.1f} MiB; it had {before / 2**20:,.1f}")
