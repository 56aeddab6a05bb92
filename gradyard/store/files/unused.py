"""Files that no job needs are deleted some days after their upload."""

from collections.abc import Iterator

from gradyard.jobs.errors import IllegalMove, NotFound
from gradyard.store.database import Database
from gradyard.store.files.rows import delete_file, unused_files

SLICE = 100


def forget_unused(database: Database, days: float) -> Iterator[None]:
    """Delete the files that no job needs and that were sent in for the last time so many days ago.

    It stops after each. The content of a larger one is left to `forget_unclaimed`.
    """
    while True:
        with database.read() as connection:
            found = unused_files(connection, 86_400 * days, SLICE)
        if not found:
            return
        for row in found:
            try:
                with database.begin() as connection:
                    delete_file(connection, row.project_id, row.sha256)
            except (IllegalMove, NotFound):  # a job came meanwhile, or another process was first
                pass
            yield
