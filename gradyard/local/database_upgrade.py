"""Upgrades and downgrades the tables of the database. Errors are one line that names the database."""

from gradyard.jobs.errors import GradyardError
from gradyard.local.errors import CannotStart


def upgrade_tables(url: str, revision: str = "head") -> None:
    """Runs every migration up to `revision`. Raises CannotStart if the URL is wrong or the database refuses."""
    _move(url, "upgrade", revision)


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
        raise CannotStart(_with_url(url, str(error))) from None
    except CommandError as error:
        raise CannotStart(_with_url(url, f"{error}; was it made by a newer gradyard?")) from None
    except (SQLAlchemyError, OSError) as error:
        message = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
        raise CannotStart(_with_url(url, message.splitlines()[0])) from None


def _with_url(url: str, message: str) -> str:
    """The message, with the URL of the database in front, without its password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    if "DATABASE_URL" in message:
        return message
    try:
        shown = make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return f"DATABASE_URL: {message}"
    return f"DATABASE_URL {shown}: {message}"
