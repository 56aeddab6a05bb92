"""Celery and RQ as `System`s, on a Redis that stores every write on disk."""

import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

from bench.peers.system import SLOTS, System
from tests.servers import free_port, redis_binary


class Peer(System):
    """A system whose jobs write a ledger, on a Redis that appends every write to its file before it answers."""

    commands: list[list[str]]  # of the worker processes

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.ledger, self.port = folder / "ledger", free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.ledger.touch()

    def start(self) -> None:
        self._start_redis()
        self.tend()
        time.sleep(5)

    def tend(self) -> None:
        for number, command in enumerate(self.commands):
            if (name := f"worker-{number}") not in self.processes or self.processes[name].poll() is not None:
                self.processes[name] = self._worker(command)

    def counts(self) -> tuple[Counter[int], Counter[int]]:
        lines = [line.split() for line in self.ledger.read_text().splitlines()]
        begun = Counter(int(number) for word, number in lines if word == "start")
        return begun, Counter(int(number) for word, number in lines if word == "end")

    def kill_redis(self) -> None:
        self.processes["redis"].kill()
        self.processes["redis"].wait()
        time.sleep(1)
        self._start_redis()

    def flush_redis(self) -> None:
        import redis

        with suppress(redis.RedisError), redis.Redis.from_url(self.url) as client:
            client.flushall()

    def kill_pool(self) -> None:
        for main in self.mains():
            for each in [main, *main.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    each.kill()

    def stop(self) -> None:
        self.kill_pool()
        for process in self.processes.values():
            process.kill()
            process.wait()

    def slot(self) -> list[psutil.Process]:
        return next(([main, *main.children()[:1]] for main in self.mains() if main.children()), [])

    def mains(self) -> list[psutil.Process]:
        """The worker processes that are alive."""
        ours = [process.pid for name, process in self.processes.items() if name != "redis" and process.poll() is None]
        return [psutil.Process(pid) for pid in ours]

    def _worker(self, command: list[str]) -> "subprocess.Popen[bytes]":
        environment = os.environ | {"PEER_REDIS_URL": self.url, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with (self.folder / "workers.log").open("ab") as log:
            return subprocess.Popen([sys.executable, *command], env=environment, stdout=log, stderr=log)

    def _start_redis(self) -> None:
        command = [redis_binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        command += ["--appendonly", "yes", "--appendfsync", "always"]
        self.processes["redis"] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)


class CeleryPeer(Peer):
    """`celery worker -c 2`, prefork."""

    name = "celery"
    commands = [["-m", "celery", "-A", "bench.peers.celery_tasks", "worker", "-c", str(SLOTS), "-l", "WARNING"]]

    def submit(self, number: int) -> None:
        from bench.peers.celery_tasks import app, train_task

        app.conf.broker_url = self.url
        train_task.apply_async((number, str(self.ledger)), retry=False)


class RqPeer(Peer):
    """Two `rq worker`s, jobs with retries, and the shortest intervals for heartbeats and for finding abandoned jobs."""

    name = "rq"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        often = ["--job-monitoring-interval", "5", "--maintenance-interval", "5"]
        self.commands = [["-m", "rq.cli", "worker", "--url", self.url, "--quiet", *often]] * SLOTS

    def submit(self, number: int) -> None:
        from redis import Redis
        from rq import Queue, Retry

        with Redis.from_url(self.url) as connection:
            queue = Queue("default", connection=connection)
            queue.enqueue("bench.peers.work.train", number, str(self.ledger), job_timeout=30, retry=Retry(max=10))
