"""Files and folders by the descriptor of the folder above, so that no symbolic link leads elsewhere.

All raise OSError.
"""

import contextlib
import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a named pipe that somehow lies there is not waited for
OLD_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextlib.contextmanager
def opened(path: str | Path, flags: int, mode: int = 0, *, above: int | None = None) -> Iterator[int]:
    """A descriptor that is closed with the block. above: of the folder that the path begins in."""
    descriptor = os.open(path, flags, mode, dir_fd=above)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def make_folder(name: str, above: int) -> None:
    """Make a folder of mode 0700, if it is not there, to stay also where the machine stops at once."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=above)
    sync_folder(above)  # also where another process made it: that may not have come to its own


def sync_folder(folder: int) -> None:
    """Wait until the names in this folder are on the disk."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):  # some shares cannot do it for a folder
            raise


def is_taken(name: str, above: int) -> bool:
    """Whether anything has that name."""
    try:
        os.stat(name, dir_fd=above, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def write_all(file: io.FileIO, block: bytes) -> None:
    """Write the whole block: a disk that is nearly full takes only a part at a time."""
    left = memoryview(block)
    while left:
        left = left[file.write(left) :]
