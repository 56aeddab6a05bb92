"""Which slots of this host are taken: one locked file each, so that two pools never hold one core or one GPU.

The kernel lets go of a lock when its holder ends, however it ends.
"""

import fcntl
import hashlib
import os
import tempfile
from pathlib import Path

from jobs.settings import Settings
from workers.devices import Slot


def folder_of(settings: Settings) -> Path:
    """Where the pools of this user, host and database meet; made if it is not there."""
    database = hashlib.sha256(settings.database.encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"gradyard-{os.getuid()}" / database
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


class Seats:
    """The slots that this pool holds on this host, among the pools of one database."""

    def __init__(self, settings: Settings) -> None:
        self._folder = folder_of(settings)
        self._held: list[int] = []

    def take(self, slot: Slot) -> str | None:
        """Hold the slot until this process ends; who holds it already, if somebody does."""
        file = os.open(self._folder / f"{slot.name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 20).decode().strip()
            os.close(file)
            return f"pool {holder}" if holder else "another pool"
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        self._held.append(file)  # open, so locked, for as long as this process lives
        return None
