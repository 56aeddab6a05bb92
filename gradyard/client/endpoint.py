"""Where the service is and what it asks for: the URL and the key of a client that was given neither."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gradyard.jobs.settings import Settings, load

CONVENTIONAL_URL = "http://127.0.0.1:8000"
LOCK_FILE, ENDPOINT_FILE = "up.lock", "endpoint.json"  # of a state folder


@dataclass(frozen=True)
class Endpoint:
    """Where a stack on this machine answers, and the process that runs it."""

    url: str
    pid: int


def find_service(
    url: str | None = None, key: str | None = None, settings: Settings | None = None
) -> tuple[str, str | None]:
    """The URL given; else `GRADYARD_URL`; else that of the stack running in the state folder; else the usual one.

    The key given; else `GRADYARD_KEY`, else `GRADYARD_ADMIN_KEY`, but never to a URL that was named by hand: that
    service may belong to strangers. Raises SettingsInvalid where a variable of the environment is wrong.
    """
    if url:
        return url, key
    settings = settings or load()
    own = settings.key or settings.admin_key
    own_key = own.get_secret_value() if own else None
    if settings.url:
        return settings.url, key or own_key
    endpoint = running_stack(settings.state_dir)
    return endpoint.url if endpoint is not None else CONVENTIONAL_URL, key or own_key


def running_stack(state_dir: Path) -> Endpoint | None:
    """Where the stack of this state folder answers; None where none runs, also if it was killed and left its file."""
    folder = state_dir.expanduser().absolute()
    try:
        answer = json.loads((folder / ENDPOINT_FILE).read_text())
        with (folder / LOCK_FILE).open() as lock:
            if lock_at_once(lock, shared=True):
                return None
        return Endpoint(str(answer["url"]), int(answer["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def lock_at_once(lock: IO[str], shared: bool = False) -> bool:
    """Take the lock of this open file without waiting; False where another process has it."""
    import fcntl  # here, so that the Client can be imported where there is none

    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
