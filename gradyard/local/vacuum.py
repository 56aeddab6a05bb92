"""Gives the space of deleted jobs back to the disk."""

import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from gradyard.jobs.settings import Settings
from gradyard.local.copies.whole_copy import refusals
from gradyard.local.errors import CannotCopy
from gradyard.local.launch import absolute

if TYPE_CHECKING:
    from gradyard.store.database import Database

BYTES_A_SECOND = 50 * 2**20  # that a file is written anew with; a slow disk has less


def vacuum(settings: Settings, say: Callable[[str], None]) -> tuple[int, int]:
    """Vacuum the database; `say` gets a line before a long step. Returns its size in bytes before and after.

    SQLite: in small steps beside the service. A file of an older version is written anew once, which needs the database
    for itself and room on the disk. PostgreSQL: VACUUM (ANALYZE) of every table. Raises CannotCopy where it cannot.
    """
    from gradyard.store.database import Database
    from gradyard.store.upkeep import in_use, space

    with refusals("the database was not vacuumed"):
        url = absolute(settings.database)
        file = in_use.file_of(url)
        if file is not None and not file.exists():
            raise CannotCopy(f"there is no database at {file}; name it by DATABASE_URL or --state-dir")
        database = Database(url)
        try:
            before = space.size_bytes(database)
            if not database.is_sqlite:
                space.vacuum_tables(database)
            elif space.gives_back_in_steps(database):
                space.give_back(database, keep_pages=0)
                space.cut_log(database)
            else:
                _write_anew(database, before, say)
            return before, space.size_bytes(database)
        finally:
            database.close()


def _write_anew(database: "Database", size: int, say: Callable[[str], None]) -> None:
    from gradyard.store.upkeep import in_use, space

    file = in_use.file_of(database.url)
    assert file is not None
    needed, free = 2 * size, shutil.disk_usage(file.parent).free
    about = f"the file of an older version ({_megabytes(size)}) is written anew once: that takes about "
    about += f"{max(1, size // BYTES_A_SECOND)} s and {_megabytes(needed)} of free disk; later ones go in small steps"
    if free < needed:
        raise CannotCopy(f"{about}; the disk has {_megabytes(free)} free")
    with database.read() as connection:
        user = in_use.used_by(connection)
    if user or not in_use.opened_alone(database):
        raise CannotCopy(f"{about}; stop the service first, since it could not write meanwhile")
    say(about)
    space.write_anew(database)


def _megabytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"
