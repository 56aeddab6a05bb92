"""The URL and the key of a Client that was given neither."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gradyard.jobs.settings import Settings, load

CONVENTIONAL_URL = "http://127.0.0.1:8000"
LOCK_FILE, ENDPOINT_FILE = "up.lock", "endpoint.json"  # of a state folder


@dataclass(frozen=True)
class Endpoint:
    """The URL of a stack on this machine, and the id of the process that runs it."""

    url: str
    pid: int


def find_service(
    url: str | None = None, key: str | None = None, settings: Settings | None = None
) -> tuple[str, str | None]:
    """The URL and the key to use.

    URL: the given one, else `GRADYARD_URL`, else that of the stack that runs in the state folder, else the usual one.
    Key: the given one, else `GRADYARD_KEY`, else `GRADYARD_ADMIN_KEY`. A key of the environment goes to `GRADYARD_URL`
    and to the stack of the state folder. A given URL, and what listens at the usual one, may be another party's. Raises
    SettingsInvalid where a variable of the environment is wrong.
    """
    if url:
        return url, key
    settings = settings or load()
    endpoint = None if settings.url else running_stack(settings.state_dir)
    ours = settings.url or (endpoint.url if endpoint is not None else None)
    if ours is None:
        return CONVENTIONAL_URL, key
    own = settings.key or settings.admin_key
    return ours, key or (own.get_secret_value() if own else None)


def running_stack(state_dir: Path) -> Endpoint | None:
    """The endpoint of the stack that runs in this state folder; None where none runs.

    A killed stack leaves its file behind; its lock tells that it is gone.
    """
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
    import fcntl  # here, so that the Client can be imported on Windows, which has no fcntl

    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
