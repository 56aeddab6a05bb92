"""gunicorn's main process loads what its workers consist of, and opens nothing that a fork could not share."""

import json
import subprocess
import sys
import time
from http.client import HTTPException

import pytest

from tests.service.gunicorn_process import HOST, GunicornProcess

LOADS = """
import json, sys, threading
from pathlib import Path
from service.server import arbiter
arbiter.when_ready(None)
opened = [str(each.readlink()) for each in Path("/proc/self/fd").glob("*") if each.exists()]
print(json.dumps({
    "loaded": "service.app" in sys.modules, "torch": "torch" in sys.modules, "threads": threading.active_count(),
    "opened": [each for each in opened if each.startswith("socket:") or each.endswith(".db")],
}))
"""
ASKS = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
SECONDS = 60.0


def test_it_loads_the_app_and_starts_neither_threads_nor_connections() -> None:
    command = [sys.executable, "-c", LOADS]
    told = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout
    assert json.loads(told) == {"loaded": True, "torch": False, "threads": 1, "opened": []}


@pytest.mark.parametrize("gunicorn", [None], ids=["gradyard's"], indirect=True)
def test_a_killed_worker_is_followed_by_another_that_answers(gunicorn: GunicornProcess) -> None:
    main, killed = gunicorn.main_and_worker()
    killed.kill()
    killed.wait(SECONDS)
    give_up_at = time.monotonic() + SECONDS
    while (answered := _status(gunicorn)) != 200:
        assert time.monotonic() < give_up_at, answered
    assert gunicorn.main_and_worker()[0] == main
    assert gunicorn.main_and_worker()[1] != killed


def _status(gunicorn: GunicornProcess) -> int | None:
    try:
        return gunicorn.asked(ASKS).status
    except (OSError, HTTPException):  # the connection of the killed one
        return None
