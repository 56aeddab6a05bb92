"""The state folder of a stack on one machine: its owner, its address, its logs. The database lies in it as well."""

import contextlib
import errno
import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, NoReturn

from gradyard.client.endpoint import ENDPOINT_FILE, LOCK_FILE, Endpoint, lock_at_once
from gradyard.local.errors import CannotStart, StateFolderInUse
from gradyard.local.log_rotation import rotate
from gradyard.processes.private_folder import make_private, private_files

READER_SECONDS = 0.5  # a reader of endpoint.json holds the lock for a moment
OURS = frozenset({LOCK_FILE, "gradyard.db"})  # of which a state folder has one


class StateFolder:
    """A state folder. `take()` makes this process its owner; there is one owner at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self._lock: IO[str] | None = None
        self._private = contextlib.ExitStack()  # as long as this process has the folder

    def take(self) -> list[int]:
        """Creates the folder if needed, and makes this process its owner until `leave()` or the end of the process.

        Until then this process, and those that it starts, make no file that other users may read. Returns the processes
        of an earlier owner that was killed; they may still be ending. Raises CannotStart if the folder cannot be
        written or made private, StateFolderInUse if another process owns it.
        """
        with contextlib.ExitStack() as private:
            private.enter_context(private_files())
            try:
                self._lock = self._locked()
            except OSError as error:
                raise self.not_writable(error) from None
            self._private = private.pop_all()
        return [int(pid) for pid in _read(self._lock).get("processes", [])]

    def prepare(self) -> None:
        """Creates the folder if needed, and makes it private. Raises CannotStart if that cannot be done."""
        try:
            make_private(self.path, OURS)
        except OSError as error:
            raise self.not_writable(error) from None

    def _locked(self) -> IO[str]:
        make_private(self.path, OURS)
        lock = (self.path / LOCK_FILE).open("a+")
        if not _lock_within(lock, READER_SECONDS):
            self._refuse(lock)
        (self.path / ENDPOINT_FILE).unlink(missing_ok=True)
        return lock

    def not_writable(self, error: OSError) -> CannotStart:
        """The error to raise where the system refused to write into the folder."""
        if self.path.exists() and not self.path.is_dir():
            return CannotStart(f"the state folder {self.path} is a file; choose a folder with --state-dir")
        advice = "free some space, or choose" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "choose"
        reason = error.strerror or str(error)
        return CannotStart(
            f"the state folder {self.path} cannot be written ({reason}); {advice} another with --state-dir"
        )

    def _refuse(self, lock: IO[str]) -> NoReturn:
        owner = _read(lock)
        lock.close()
        raise StateFolderInUse(
            f"the state folder {self.path} is in use by process {owner.get('pid', '?')}, "
            f"at {owner.get('url', 'an address not yet known')}; use that stack, stop it, or choose another --state-dir"
        )

    def note(self, url: str, processes: list[int]) -> None:
        """Writes the URL and the processes of this stack into the lock file, for the next `gradyard up`."""
        if self._lock is None:
            raise RuntimeError("only the owner of a state folder writes into it")
        owner = json.dumps({"pid": os.getpid(), "url": url, "processes": processes})
        self._lock.truncate(0)
        os.write(self._lock.fileno(), owner.encode())  # past the buffer, which would keep what a full disk refuses

    def announce(self, url: str) -> None:
        """Writes `endpoint.json`: from now on, clients find this stack."""
        new = self.path / (ENDPOINT_FILE + ".new")
        try:
            new.write_text(json.dumps(asdict(Endpoint(url, os.getpid()))) + "\n")
            new.replace(self.path / ENDPOINT_FILE)
        except OSError:
            new.unlink(missing_ok=True)
            raise

    def withdraw(self) -> None:
        """Removes `endpoint.json`: clients must not find a stack that is being stopped."""
        if self._lock is not None:
            with contextlib.suppress(OSError):  # a folder that became read-only: the released lock tells them as well
                (self.path / ENDPOINT_FILE).unlink(missing_ok=True)

    def leave(self) -> None:
        """Releases the folder for the next owner."""
        if self._lock is None:
            return
        lock, self._lock = self._lock, None
        self._private.close()
        with contextlib.suppress(OSError):
            lock.truncate(0)
        lock.close()

    def log(self, name: str) -> Path:
        """The log file of the process `name`; the lines of one over 10 MiB are set aside first."""
        path = self.path / "logs" / f"{name}.log"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        rotate(path)
        return path


def _read(lock: IO[str]) -> dict[str, Any]:
    lock.seek(0)
    try:
        answer = json.load(lock)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _lock_within(lock: IO[str], seconds: float) -> bool:
    give_up_at = time.monotonic() + seconds
    while not lock_at_once(lock):
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.02)
    return True
