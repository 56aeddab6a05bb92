"""Folders and files that no other user may read or change."""

import errno
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO


@contextmanager
def private_files() -> Iterator[None]:
    """Until the block ends, this process and those that it starts make no file that other users may read."""
    earlier = os.umask(OTHERS)
    try:
        yield
    finally:
        os.umask(earlier)


def make_private(folder: Path, marks: Collection[str] | None = None) -> None:
    """Make the folder with mode 0700, or take the rights of other users away from the one that is there.

    marks: a folder that others may read is taken over where it is empty or holds one of these names; None: always.
    Raises PermissionError where it may not be taken over, or another user could put something else in its place.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found, parent = folder.stat(), folder.absolute().parent.stat()
    if folder.is_symlink() and parent.st_mode & stat.S_IWOTH:
        raise _refusal(folder, "it is a link in a folder that all users share")
    if found.st_uid != os.geteuid() and (os.geteuid() != 0 or parent.st_mode & stat.S_IWOTH):
        raise _refusal(folder, "it belongs to another user")
    if found.st_mode & stat.S_ISVTX:
        raise _refusal(folder, "all users share it")
    if not found.st_mode & OTHERS:
        return
    held = {each.name for each in folder.iterdir()}
    if marks is not None and held and held.isdisjoint(marks):
        raise _refusal(folder, "others may read it, and it holds other files; chmod 700 makes it private")
    folder.chmod(0o700)


def _refusal(folder: Path, reason: str) -> PermissionError:
    return PermissionError(errno.EACCES, reason, str(folder))
