"""A file that is written for the user: all of it, or nothing."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gradyard.client.errors import CannotWrite


@contextmanager
def written_whole(path: Path, permissions: int = 0o666) -> Iterator[IO[bytes]]:
    """Opens a file that is named `path` at the end of the `with` statement, if no exception ends it.

    Until then it has another name in the same folder, so that a full disk or Ctrl-C leaves no half file, and leaves an
    earlier file as it was. A device or a pipe is written directly. permissions: of a new file, less the umask; those of
    an earlier file stay. Raises CannotWrite with the path and the reason.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as direct:
                yield direct
        else:
            with _renamed_at_the_end(path.resolve(), permissions) as file:
                yield file
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written ({error.strerror or error})") from None


@contextmanager
def _renamed_at_the_end(path: Path, permissions: int) -> Iterator[IO[bytes]]:
    unfinished = path.with_name(f".gradyard-{secrets.token_hex(4)}.part")
    number = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, permissions)
    try:
        with os.fdopen(number, "wb") as file:
            if path.exists():
                os.fchmod(file.fileno(), path.stat().st_mode & 0o7777)
            yield file
            file.flush()
            os.fsync(file.fileno())  # a file that was promised is there after a power cut too
        unfinished.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
