"""A Celery worker with two processes and its own Redis, for measurements of speed."""

import importlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers import free_port, redis_binary

SLOTS = 2


class CeleryWorker:
    """A Redis, and a worker once `start_worker` was called. `tasks` sends tasks to it.

    is_durable: Redis syncs each write. in_sql: results are stored in a SQLite file, by Celery's own backend for SQL.
    """

    def __init__(self, folder: Path, *, is_durable: bool, in_sql: bool) -> None:
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        command = [redis_binary(), "--port", str(self._port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        command += ["--appendonly", "yes", "--appendfsync", "always"] if is_durable else []
        self._redis = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._worker: subprocess.Popen[bytes] | None = None
        time.sleep(0.5)
        # Read when the tasks' module is imported, here and in the worker.
        os.environ["PEER_REDIS_URL"] = self.url
        os.environ["PEER_RESULTS_URL"] = f"db+sqlite:///{folder}/results.db" if in_sql else self.url
        self.tasks: Any = importlib.reload(importlib.import_module("bench.peers.celery_speed"))

    def start_worker(self) -> None:
        """Start a worker with `SLOTS` processes, and wait until it has done a task."""
        command = [sys.executable, "-m", "celery", "-A", "bench.peers.celery_speed", "worker", "-l", "ERROR"]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        command += ["-c", str(SLOTS), "--without-gossip", "--without-mingle", "--without-heartbeat"]
        self._worker = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.tasks.nothing.delay()
        while not self.tasks.counter().get("done"):
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the worker and Redis."""
        for process in (self._worker, self._redis):
            if process is not None:
                process.terminate()
                process.wait()


@contextmanager
def celery_worker(*, is_durable: bool = False, in_sql: bool = False) -> Iterator[CeleryWorker]:
    """A worker that is not started yet. It stops when the block ends. The parameters are those of `CeleryWorker`."""
    with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as folder:
        worker = CeleryWorker(Path(folder), is_durable=is_durable, in_sql=in_sql)
        try:
            yield worker
        finally:
            worker.stop()
