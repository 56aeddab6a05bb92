"""F25: the folder of files is away for a while, as a share that is not mounted."""

import time

from tests.faults.arena import Arena

TRIES = 4  # jobs: at least one of them is claimed while the folder is away, where a slot is free by then
AWAY_SECONDS = 6.0


def take_files_away(arena: Arena) -> None:
    """F25: take the folder of files away until a job has met that, and bring it back."""
    folder = arena.fleet.files
    away = folder.with_name("files-away")
    jobs = tuple(arena.submit(*(arena.book.on_a_large_file() for _ in range(TRIES))))
    at = time.time()
    folder.rename(away)
    try:
        arena.finished.wait(AWAY_SECONDS)
    finally:
        away.rename(folder)
    arena.note("F25", at, "the folder of files away", jobs=jobs)
