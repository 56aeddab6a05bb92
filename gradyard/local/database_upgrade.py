"""Upgrades and downgrades the tables of the database. Errors are one line that names the database."""

import os
from pathlib import Path

from gradyard.jobs.errors import GradyardError
from gradyard.local.errors import CannotStart

LONGEST_SQLITE_PATH = 511  # bytes: MAX_PATHNAME of its sources


def upgrade_tables(url: str, revision: str = "head") -> bool:
    """Runs every migration up to `revision`, or those for which an older version may run (`pre`).

    Returns whether that is all. Raises CannotStart if the URL is wrong or the database refuses.
    """
    import migrations

    _move(url, "upgrade", revision)
    return migrations.is_complete(url)


def downgrade_tables(url: str, revision: str) -> None:
    """Goes back to `revision`; `base` removes all tables with their data. Raises CannotStart as a one-line error."""
    _move(url, "downgrade", revision)


def _move(url: str, direction: str, revision: str) -> None:
    # imported here: Alembic and SQLAlchemy take a third of a second, and most commands do not need them
    from alembic.util.exc import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    import migrations

    try:
        getattr(migrations, direction)(url, revision)
    except GradyardError as error:
        raise CannotStart(_with_url(url, _why_not_opened(url) or str(error))) from None
    except CommandError as error:
        raise CannotStart(_with_url(url, f"{error}; was it made by a newer gradyard?")) from None
    except (SQLAlchemyError, OSError) as error:
        message = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
        raise CannotStart(_with_url(url, message.splitlines()[0])) from None


def _why_not_opened(url: str) -> str | None:
    """The reason why SQLite cannot open its file, which SQLite itself does not tell; None where there is none."""
    from sqlalchemy.engine import make_url

    if not url.startswith("sqlite:///"):
        return None
    path = Path(make_url(url).database or "").absolute()
    length = len(os.fsencode(path))
    if length > LONGEST_SQLITE_PATH:
        return f"its path has {length} bytes, SQLite opens {LONGEST_SQLITE_PATH} at most; choose a shorter folder"
    return None if path.parent.is_dir() else f"there is no folder {path.parent}"


def _with_url(url: str, message: str) -> str:
    """The message, with the database in front: the file of SQLite, else the URL without its password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    if "DATABASE_URL" in message:
        return message
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return f"DATABASE_URL: {message}"
    if parsed.get_backend_name() == "sqlite":
        return f"the database {parsed.database}: {message}"
    return f"DATABASE_URL {parsed.render_as_string(hide_password=True)}: {message}"
