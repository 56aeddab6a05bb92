"""Which slots and GPUs of this host are taken: one locked file each, so that two pools never hold one.

The kernel lets go of a lock when its holder ends, however it ends.
"""

import fcntl
import hashlib
import os
import tempfile
from pathlib import Path

from gradyard.jobs.settings import Settings
from workers.pool.slots import Slot


def folder_of(settings: Settings) -> Path:
    """Where the pools of this user, host and database meet; made if it is not there."""
    database = hashlib.sha256(settings.database.encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"gradyard-{os.getuid()}" / database
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _devices_folder(settings: Settings) -> Path:
    """Where all pools of this user and host meet, whatever their database: a GPU is one thing."""
    folder = folder_of(settings) if settings.fake_gpus else folder_of(settings).parent / "gpus"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


class SlotLocks:
    """What this process holds on its host: slots among the pools of one database, GPUs among all pools."""

    def __init__(self, settings: Settings) -> None:
        self._folder, self._devices = folder_of(settings), _devices_folder(settings)
        self._held: dict[Path, int] = {}

    def take(self, slot: Slot) -> str | None:
        """Hold the slot and its GPU until this process ends; who holds one of them already, if somebody does."""
        if slot.gpu is not None and (holder := self._hold(self._devices / f"{slot.gpu.uuid}.lock")):
            return holder
        return self._hold(self._folder / f"{slot.name}.lock")

    def _hold(self, path: Path) -> str | None:
        if path in self._held:  # several slots of one pool may share a GPU
            return None
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 20).decode().strip()
            os.close(file)
            return f"pool {holder}" if holder else "another pool"
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        self._held[path] = file  # open, so locked, for as long as this process lives
        return None
