"""Brings the database's tables to this version, and says in one line what keeps it from that."""

from gradyard.jobs.errors import GradyardError
from gradyard.local.errors import CannotStart


def upgrade_tables(url: str, revision: str = "head") -> None:
    """Every step up to `revision`. CannotStart where the URL is wrong or the database does not answer or fit."""
    _move(url, "upgrade", revision)


def downgrade_tables(url: str, revision: str) -> None:
    """Back to `revision`; `base`: no tables and no data at all. CannotStart as above."""
    _move(url, "downgrade", revision)


def _move(url: str, direction: str, revision: str) -> None:
    # here, not above: the client's commands need neither Alembic nor SQLAlchemy, which take a third of a second
    from alembic.util.exc import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    import migrations

    try:
        getattr(migrations, direction)(url, revision)
    except GradyardError as error:
        raise CannotStart(_with_place(url, str(error))) from None
    except CommandError as error:
        raise CannotStart(_with_place(url, f"{error}; was it made by a newer gradyard?")) from None
    except (SQLAlchemyError, OSError) as error:
        said = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
        raise CannotStart(_with_place(url, said.splitlines()[0])) from None


def _with_place(url: str, said: str) -> str:
    """What was said, and of which database, without its password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    if "DATABASE_URL" in said:
        return said
    try:
        place = make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return f"DATABASE_URL: {said}"
    return f"DATABASE_URL {place}: {said}"
