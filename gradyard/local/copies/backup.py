"""Copies the database into a file, while the service runs."""

from pathlib import Path

from gradyard.jobs.settings import Settings
from gradyard.local.copies.whole_copy import put_in_place, refusals, unnamed_beside
from gradyard.local.errors import CannotCopy
from gradyard.local.launch import absolute


def back_up(settings: Settings, target: Path, *, replace: bool = False) -> str:
    """Copy the database into the file `target`. Returns the revision of its tables.

    The copy is read back before it gets its name, and its owner alone may read it. replace: over an older file of that
    name. Raises CannotCopy; no half file is left.
    """
    from gradyard.store.upkeep import in_use, postgresql_copy, sqlite_copy

    if target.exists() and not replace:
        raise CannotCopy(f"{target} is there already; choose another name, or --force to replace it")
    with refusals(f"no backup was made to {target}"):
        url = absolute(settings.database)
        file = in_use.file_of(url)
        if file is not None and not file.exists():
            raise CannotCopy(f"there is no database at {file}; name it by DATABASE_URL or --state-dir")
        with unnamed_beside(target) as new:
            if file is None:
                postgresql_copy.copy(url, new)
                revision = postgresql_copy.checked_revision(new)
            else:
                sqlite_copy.copy(file, new)
                revision = sqlite_copy.checked_revision(new)
            put_in_place(new, target)
    return revision
