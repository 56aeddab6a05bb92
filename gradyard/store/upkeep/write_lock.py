"""Which process of this host holds the write lock of a SQLite file. Linux alone tells."""

import os
from collections.abc import Iterator
from pathlib import Path

LOCKS = Path("/proc/locks")
WRITE_LOCK_BYTE = 120  # of the file FILE-shm, by the format of SQLite's write-ahead log (wal.c)


def holder_of(file: Path) -> int | None:
    """The process that is in a writing transaction; None where there is none, or where the system does not tell."""
    try:
        shared = (real := file.resolve()).with_name(f"{real.name}-shm").stat()
        lines = LOCKS.read_text().splitlines()
    except OSError:
        return None
    return next((pid for pid in _lockers(lines, shared.st_ino) if _has_open(pid, shared)), None)


def _lockers(lines: list[str], inode: int) -> Iterator[int]:
    """The processes that have locked that byte of a file with this number, on whichever disk."""
    for line in lines:
        words = line.split()  # `1: POSIX ADVISORY WRITE 4711 fd:01:1835037 120 120`; `->` second where it waits
        if words[1] != "POSIX" or words[3] != "WRITE" or not words[5].endswith(f":{inode}"):
            continue
        if words[6] == words[7] == str(WRITE_LOCK_BYTE):
            yield int(words[4])


def _has_open(pid: int, file: os.stat_result) -> bool:
    try:
        return any(os.path.samestat(each.stat(), file) for each in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # it has ended, or is another user's
        return False
