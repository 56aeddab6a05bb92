"""Keeps the log of a running process small: its older lines move to NAME.log.1, .2 and .3.

The process appends to its file by a descriptor of its own, so the file is copied and cut, never renamed: lines that are
written between the two are lost. Where the disk takes no copy, the old lines are dropped: a full disk needs the room.
"""

import contextlib
import os
import shutil
from pathlib import Path

LARGEST_BYTES = 10 * 2**20
KEPT = 3  # older files


def rotate(log: Path, largest_bytes: int = LARGEST_BYTES) -> bool:
    """Set the lines of a log aside if it is larger than that. Returns whether it was. Never raises OSError."""
    try:
        if not log.is_file() or log.stat().st_size <= largest_bytes:
            return False
    except OSError:
        return False
    with contextlib.suppress(OSError):
        _copy_aside(log)
    with contextlib.suppress(OSError):
        os.truncate(log, 0)
    return True


def _copy_aside(log: Path) -> None:
    for number in range(KEPT - 1, 0, -1):
        with contextlib.suppress(FileNotFoundError):
            _older(log, number).replace(_older(log, number + 1))
    unfinished = log.with_name(f"{log.name}.part")
    try:
        shutil.copyfile(log, unfinished)
        unfinished.replace(_older(log, 1))
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _older(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
