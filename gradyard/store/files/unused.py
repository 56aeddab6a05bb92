"""Files that no job needs are deleted some days after their upload."""

from collections.abc import Iterator

import structlog

from gradyard.jobs.errors import IllegalMove, NotFound
from gradyard.store.database import Database
from gradyard.store.files.rows import delete_file, unused_files

log = structlog.get_logger()

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
                    delete_file(connection, row.project_id, row.sha256, older_than_seconds=86_400 * days)
                log.info("a file that no job needs is deleted", file=row.sha256, project=row.project_id)
            except (IllegalMove, NotFound):  # it is used, or uploaded again, or gone by now
                pass
            yield
