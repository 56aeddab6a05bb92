"""A file that gets its name once all of it is written, and refusals as one line."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gradyard.jobs.errors import GradyardError
from gradyard.local.errors import CannotCopy, CannotStart


@contextlib.contextmanager
def unnamed_beside(target: Path) -> Iterator[Path]:
    """A new file in the folder of `target`, for its owner alone. It is gone at the end unless it was `put_in_place`."""
    new = target.with_name(f".{target.name}.{os.getpid()}.part")
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield new
    finally:
        for end in ("", "-journal", "-wal", "-shm"):  # SQLite's own files beside it
            new.with_name(new.name + end).unlink(missing_ok=True)


def put_in_place(new: Path, target: Path) -> None:
    """Give the file its name, with all of it on the disk before."""
    for path in (new, new.parent):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
    new.replace(target)


@contextlib.contextmanager
def refusals(outcome: str) -> Iterator[None]:
    """Turn what a disk, a database or a program refuses into CannotCopy: `outcome` and the reason, in one line."""
    from sqlalchemy.exc import SQLAlchemyError

    from gradyard.store.upkeep.postgresql_copy import ProgramFailed
    from gradyard.store.upkeep.sqlite_copy import CopyUnusable

    try:
        yield
    except OSError as error:
        raise CannotCopy(f"{outcome}: {error.strerror or error}") from None
    except SQLAlchemyError as error:
        raise CannotCopy(f"{outcome}: {_first_line(getattr(error, 'orig', None) or error)}") from None
    except (sqlite3.Error, GradyardError, CannotStart, CopyUnusable, ProgramFailed) as error:
        raise CannotCopy(f"{outcome}: {_first_line(error)}") from None


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
