"""What gunicorn's main process does before it forks its workers: `--config python:service.server.arbiter`."""

from typing import Any

from gradyard.processes.loading import load
from gradyard.processes.private_memory import keep_memory_private


def on_starting(server: Any) -> None:
    """Keep the administrator's key and the database's URL from runners of this user. The forks keep them as well."""
    keep_memory_private()


def when_ready(server: Any) -> None:
    """Load the modules of the API, so that no fork has to: that takes two seconds, or many on a busy host.

    Requests that come meanwhile wait at the socket, and signals are handled afterwards.
    """
    load("service.app")
