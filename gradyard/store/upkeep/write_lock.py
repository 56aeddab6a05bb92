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
    return next((pid for pid, disk in _lockers(lines, shared.st_ino) if _has_open(pid, shared, disk)), None)


def _lockers(lines: list[str], inode: int) -> Iterator[tuple[int, str]]:
    """The processes that have locked that byte of a file with this number, each with the disk that the kernel names."""
    for line in lines:
        words = line.split()  # `1: POSIX ADVISORY WRITE 4711 fd:01:1835037 120 120`; `->` second where it waits
        if words[1] != "POSIX" or words[3] != "WRITE" or not words[5].endswith(f":{inode}"):
            continue
        if words[6] == words[7] == str(WRITE_LOCK_BYTE):
            yield int(words[4]), words[5].rpartition(":")[0]


def _has_open(pid: int, file: os.stat_result, disk: str) -> bool:
    """Whether the process has the file open. disk: what `/proc/locks` says; some file systems have another name."""
    try:
        return any(os.path.samestat(each.stat(), file) for each in Path(f"/proc/{pid}/fd").iterdir())
    except PermissionError:  # a process that keeps its memory private, as those of the service do
        return disk == f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}"
    except OSError:  # it has ended
        return False
