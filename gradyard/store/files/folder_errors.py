"""What an error of the system says about the folder of files, in words, and what to do."""

import errno
import io
from pathlib import Path
from typing import Any

from gradyard.jobs.errors import ContentUnavailable

AWAY = "does not answer: look at its server and the network, or mount it again"
REFUSED = "may not be used by this user: let the user of API, workers and maintenance read and write it"
NO_FOLDER = "has a link or a file where a folder of its own should be: remove that"
SENTENCES = {
    errno.ENOENT: "is not there, or lost a file in the middle of the work: look whether it is mounted",
    errno.ENOSPC: "is on a disk that is full: free some of it",
    errno.EDQUOT: "has used up its disk quota: free some of it, or raise the quota",
    errno.EROFS: "is on a disk that is mounted read-only: mount it for writing",
    errno.EACCES: REFUSED,
    errno.EPERM: REFUSED,
    errno.ELOOP: NO_FOLDER,
    errno.ENOTDIR: NO_FOLDER,
    errno.ESTALE: AWAY,
    errno.EIO: AWAY,
    errno.ENXIO: AWAY,
    errno.ENOTCONN: AWAY,
    errno.ETIMEDOUT: AWAY,
    errno.EHOSTDOWN: AWAY,
    errno.EHOSTUNREACH: AWAY,
}


def unavailable(folder: Path, error: OSError) -> ContentUnavailable:
    """The error to be raised where the system refused something in the folder."""
    sentence = SENTENCES.get(error.errno or 0, f"cannot be used: {error.strerror or type(error).__name__}")
    return ContentUnavailable(f"the folder of files {folder} {sentence}")


class StoredFile(io.FileIO):
    """A file of the folder, open for reading. Reading raises ContentUnavailable: its share may go away meanwhile."""

    def __init__(self, descriptor: int, folder: Path) -> None:
        super().__init__(descriptor, "rb")
        self._folder = folder

    def readinto(self, buffer: Any) -> int:
        """Read into the buffer; returns the number of bytes. Raises ContentUnavailable."""
        try:
            return super().readinto(buffer)
        except OSError as error:
            raise unavailable(self._folder, error) from error

    def readall(self) -> bytes:
        """All that is left. Raises ContentUnavailable."""
        try:
            return super().readall()
        except OSError as error:
            raise unavailable(self._folder, error) from error
