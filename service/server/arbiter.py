"""What gunicorn's processes do before they answer: `--config python:service.server.arbiter`."""

import gc
from typing import Any

from gradyard.processes.private_memory import keep_memory_private


def on_starting(server: Any) -> None:
    """Keep the administrator's key and the database's URL from runners of this user. The forks keep them as well."""
    keep_memory_private()


def when_ready(server: Any) -> None:
    """Collect garbage again: what gunicorn itself needs is loaded."""
    gc.enable()


def post_fork(server: Any, worker: Any) -> None:
    """Load the app without collections."""
    gc.disable()


def post_worker_init(worker: Any) -> None:
    """Collect garbage again: the app is loaded."""
    gc.enable()


gc.disable()  # this file is read first; collections would be a sixth of the time until the service answers
