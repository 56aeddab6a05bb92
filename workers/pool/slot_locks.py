"""Locks the slots and GPUs of this host, by a file each, so that two pools never hold the same one.

The kernel releases a lock when its holder ends, however it ends.
"""

import fcntl
import hashlib
import os
import tempfile
from pathlib import Path

from gradyard.jobs.errors import SettingsInvalid
from gradyard.jobs.settings import Settings
from gradyard.processes.private_folder import make_private
from workers.pool.slots import Slot


def folder_of(settings: Settings) -> Path:
    """The folder that the pools of this user, host and database share. It is made where it is not there.

    Raises SettingsInvalid where another user has taken its name.
    """
    database = hashlib.sha256(settings.database.encode()).hexdigest()[:16]
    ours = Path(tempfile.gettempdir()) / f"gradyard-{os.getuid()}"
    try:
        make_private(ours)
    except PermissionError as error:
        raise SettingsInvalid(f"TMPDIR: {ours}: {error.strerror}; remove it, or choose another TMPDIR") from None
    folder = ours / database
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder


def _devices_folder(settings: Settings) -> Path:
    """The folder that all pools of this user and host share, of every database: they share the GPUs."""
    folder = folder_of(settings) if settings.fake_gpus else folder_of(settings).parent / "gpus"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


class SlotLocks:
    """The locks of this process: on slots among the pools of one database, on GPUs among all pools."""

    def __init__(self, settings: Settings) -> None:
        self._folder, self._devices = folder_of(settings), _devices_folder(settings)
        self._held: dict[Path, int] = {}

    def take(self, slot: Slot) -> str | None:
        """Hold the slot and its GPU until this process ends. Return the holder where another process has them."""
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
        self._held[path] = file  # open, and so locked, as long as this process lives
        return None
