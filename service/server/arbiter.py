"""What gunicorn's main process does before it forks its workers: `--config python:service.server.arbiter`."""

from typing import Any

from gradyard.processes.loading import load
from gradyard.processes.private_memory import keep_memory_private


def on_starting(server: Any) -> None:
    """Keep the administrator's key and the database's URL from runners of this user, and load what the API consists of.

    The forks keep them as well, and one that follows a killed one need not load it: two seconds, many on a busy host.
    """
    keep_memory_private()
    load("service.app")
