"""Copies of a PostgreSQL database, by its own programs pg_dump and pg_restore."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from sqlalchemy.engine import make_url

from gradyard.jobs.settings import without_keys
from gradyard.store.engines import is_pgbouncer
from gradyard.store.upkeep.sqlite_copy import CopyUnusable

MAGIC = b"PGDMP"


class ProgramFailed(Exception):
    """pg_dump or pg_restore is missing, or did not do it; its message is the reason."""


def copy(url: str, target: Path) -> None:
    """Dump the database of one moment into the file `target`, while others read and write it. Raises ProgramFailed."""
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}", url=url)


def restore(path: Path, url: str) -> None:
    """Replace the tables by those of a dump, all or nothing. Raises ProgramFailed."""
    replaced = ("--clean", "--if-exists", "--single-transaction", "--exit-on-error")
    _run("pg_restore", *replaced, "--no-owner", "--no-privileges", str(path), url=url)


def checked_revision(path: Path) -> str:
    """The revision of the tables in this dump, after all of it was read. Raises CopyUnusable, with the reason."""
    try:
        _run("pg_restore", f"--file={os.devnull}", str(path))
        told = _run("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(path))
    except ProgramFailed as error:
        if shutil.which("pg_restore") is None:
            raise
        raise CopyUnusable(str(error)) from None
    if found := re.search(r"^(\d{4}_\w+)$", told, re.MULTILINE):
        return found[1]
    raise CopyUnusable("it has no tables of gradyard")


def _run(program: str, *arguments: str, url: str | None = None) -> str:
    """Run the program to its end, and return what it printed."""
    if (found := shutil.which(program)) is None:
        raise ProgramFailed(f"{program} is not on the PATH; install PostgreSQL's client programs")
    environment, command = without_keys(os.environ), [found, "--no-password", *arguments]
    if url is None:
        command.remove("--no-password")
    else:
        parsed = make_url(url).set(drivername="postgresql")
        if is_pgbouncer(parsed):
            raise ProgramFailed(f"{program} needs one session; give the URL of the server itself, not PgBouncer's")
        if parsed.password is not None:  # every user of this machine can read a command line
            environment["PGPASSWORD"] = str(parsed.password)
        command.append(f"--dbname={parsed.set(password=None).render_as_string(hide_password=False)}")
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace")
    if ended.returncode:
        lines = [line for line in ended.stderr.splitlines() if line.strip()]
        raise ProgramFailed(lines[0] if lines else f"{program} ended with status {ended.returncode}")
    return ended.stdout
