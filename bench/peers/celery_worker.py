"""A Celery worker with two processes and its own Redis, for measurements of speed."""

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
    """A Redis, and a worker once `start_worker` was called. `tasks` sends tasks to it."""

    def __init__(self, folder: Path, *, is_durable: bool) -> None:
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        command = [redis_binary(), "--port", str(self._port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        command += ["--appendonly", "yes", "--appendfsync", "always"] if is_durable else []
        self._redis = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._worker: subprocess.Popen[bytes] | None = None
        time.sleep(0.5)
        os.environ["PEER_REDIS_URL"] = self.url  # read when the tasks' module is imported, here and in the worker
        from bench.peers import celery_speed

        self.tasks: Any = celery_speed

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
def celery_worker(*, is_durable: bool = False) -> Iterator[CeleryWorker]:
    """A worker that is not started yet. It stops when the block ends. is_durable: its Redis syncs each write."""
    with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as folder:
        worker = CeleryWorker(Path(folder), is_durable=is_durable)
        try:
            yield worker
        finally:
            worker.stop()
