"""The folder of one machine's own stack: who runs in it, where it answers, its logs. The database lies beside them."""

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, NoReturn

from gradyard.client.endpoint import ENDPOINT_FILE, LOCK_FILE, Endpoint, lock_at_once
from gradyard.local.errors import CannotStart, StateFolderInUse

LARGEST_LOG_BYTES = 10 * 2**20
READER_SECONDS = 0.5  # a reader of the endpoint holds the lock for a moment


class StateFolder:
    """One state folder. `take()` makes us its owner, as one `gradyard up` at a time can be."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self._lock: IO[str] | None = None

    def take(self) -> list[int]:
        """Makes the folder if there is none, and us its owner until `leave()` or our end.

        Returns the processes of an owner that was killed; they may still be ending. Raises CannotStart where the
        folder cannot be written, StateFolderInUse where somebody has it.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (self.path / LOCK_FILE).open("a+")
            if not _lock_within(lock, READER_SECONDS):
                self._say_who(lock)
            (self.path / ENDPOINT_FILE).unlink(missing_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise CannotStart(
                f"the state folder {self.path} cannot be written ({reason}); choose another with --state-dir"
            ) from None
        self._lock = lock
        return [int(pid) for pid in _read(lock).get("processes", [])]

    def _say_who(self, lock: IO[str]) -> NoReturn:
        owner = _read(lock)
        lock.close()
        raise StateFolderInUse(
            f"the state folder {self.path} is in use by process {owner.get('pid', '?')}, "
            f"at {owner.get('url', 'an address not yet known')}; use that one, stop it, or choose another --state-dir"
        )

    def note(self, url: str, processes: list[int]) -> None:
        """Leaves word for whoever comes next: where we are about to answer, and what we started."""
        if self._lock is None:
            raise RuntimeError("only the owner of a state folder writes into it")
        self._lock.truncate(0)
        self._lock.write(json.dumps({"pid": os.getpid(), "url": url, "processes": processes}))
        self._lock.flush()

    def announce(self, url: str) -> None:
        """Writes `endpoint.json`: from now on, clients find us."""
        new = self.path / (ENDPOINT_FILE + ".new")
        new.write_text(json.dumps(asdict(Endpoint(url, os.getpid()))) + "\n")
        new.replace(self.path / ENDPOINT_FILE)

    def withdraw(self) -> None:
        """Removes `endpoint.json`: no client is to find what is being stopped."""
        if self._lock is not None:
            (self.path / ENDPOINT_FILE).unlink(missing_ok=True)

    def leave(self) -> None:
        """Lets the next one in."""
        if self._lock is None:
            return
        self._lock.truncate(0)
        self._lock.close()
        self._lock = None

    def log(self, name: str) -> Path:
        """The file for that process's output; one that has grown over 10 MB becomes `NAME.log.1` and starts anew."""
        path = self.path / "logs" / f"{name}.log"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if path.exists() and path.stat().st_size > LARGEST_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
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
