"""gunicorn's main process loads what its workers consist of, and opens nothing that a fork could not share."""

import json
import subprocess
import sys

LOADS = """
import json, sys, threading
from pathlib import Path
from service.server import arbiter
arbiter.on_starting(None)
opened = [str(each.readlink()) for each in Path("/proc/self/fd").glob("*") if each.exists()]
print(json.dumps({
    "loaded": "service.app" in sys.modules, "torch": "torch" in sys.modules, "threads": threading.active_count(),
    "opened": [each for each in opened if each.startswith("socket:") or each.endswith(".db")],
}))
"""


def test_it_loads_the_app_and_starts_neither_threads_nor_connections() -> None:
    told = subprocess.run([sys.executable, "-c", LOADS], capture_output=True, text=True, check=True).stdout
    assert json.loads(told) == {"loaded": True, "torch": False, "threads": 1, "opened": []}
