"""Each system behind the same few verbs: start, submit a job, hurt a part, say what was begun and what was done."""

import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

from tests.servers import free_port, redis_binary

SLOTS = 2


class System(ABC):
    """One job system with two slots; a service manager (`tend`) starts again what has ended."""

    name: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @abstractmethod
    def start(self) -> None:
        """Start it; return when it takes jobs."""

    @abstractmethod
    def submit(self, number: int) -> None:
        """Submit one job; raises where nobody takes it."""

    @abstractmethod
    def slot(self) -> list[psutil.Process]:
        """The processes of one busy slot, main first and the training one last; empty where none is busy."""

    @abstractmethod
    def counts(self) -> tuple[Counter[int], Counter[int]]:
        """By job: how often it was begun, and how often it was completed."""

    @abstractmethod
    def kill_redis(self) -> None:
        """kill -9 Redis, and start it again a second later, with what it had stored."""

    @abstractmethod
    def flush_redis(self) -> None:
        """FLUSHALL."""

    @abstractmethod
    def kill_pool(self) -> None:
        """kill -9 of every worker process."""

    @abstractmethod
    def stop(self) -> None:
        """End everything."""

    def tend(self) -> None:  # noqa: B027 - gradyard needs none
        """Start again what has ended."""


class Peer(System):
    """A system whose jobs write a ledger, on a Redis that appends every write to its file before it answers."""

    command: list[str]

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.ledger, self.port = folder / "ledger", free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.ledger.touch()

    def start(self) -> None:
        self._start_redis()
        self.processes["workers"] = self._worker()
        time.sleep(5)

    def tend(self) -> None:
        if self.processes["workers"].poll() is not None:
            self.processes["workers"] = self._worker()

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
        main = psutil.Process(self.processes["workers"].pid)
        for each in [main, *main.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                each.kill()

    def stop(self) -> None:
        with suppress(psutil.NoSuchProcess):
            self.kill_pool()
        for process in self.processes.values():
            process.kill()
            process.wait()

    def _worker(self) -> "subprocess.Popen[bytes]":
        environment = os.environ | {"PEER_REDIS_URL": self.url, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with (self.folder / "workers.log").open("ab") as log:
            return subprocess.Popen(self.command, env=environment, stdout=log, stderr=log)

    def _start_redis(self) -> None:
        command = [redis_binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        command += ["--appendonly", "yes", "--appendfsync", "always"]
        self.processes["redis"] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)


class CeleryPeer(Peer):
    """`celery worker -c 2`, prefork."""

    name = "celery"
    command = [sys.executable, "-m", "celery", "-A", "bench.peers.celery_tasks", "worker", "-c", str(SLOTS), "-l",
               "WARNING"]  # fmt: skip

    def submit(self, number: int) -> None:
        from bench.peers.celery_tasks import app, train_task

        app.conf.broker_url = self.url
        train_task.apply_async((number, str(self.ledger)), retry=False)

    def slot(self) -> list[psutil.Process]:
        main = psutil.Process(self.processes["workers"].pid)
        children = main.children()
        return [main, children[0]] if children else []


class RqPeer(Peer):
    """`rq worker-pool -n 2`, each job with retries, abandoned jobs looked for every ten seconds."""

    name = "rq"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        pool = f"WorkerPool(['default'], connection=Redis.from_url('{self.url}'), num_workers={SLOTS})"
        code = f"from redis import Redis; from rq.worker_pool import WorkerPool; {pool}.start()"
        self.command = [sys.executable, "-c", code]

    def submit(self, number: int) -> None:
        from redis import Redis
        from rq import Queue, Retry

        with Redis.from_url(self.url) as connection:
            queue = Queue("default", connection=connection)
            queue.enqueue("bench.peers.work.train", number, str(self.ledger), job_timeout=30, retry=Retry(max=10))

    def slot(self) -> list[psutil.Process]:
        main = psutil.Process(self.processes["workers"].pid)
        busy = [(worker, horse) for worker in main.children() for horse in worker.children()]
        return [main, *busy[0]] if busy else []


class Gradyard(System):
    """The fault runner's own fleet, with the defaults of a service, on PostgreSQL."""

    name = "gradyard"

    def start(self) -> None:
        from tests.stack.faults.client import LoggingClient, RequestLog
        from tests.stack.faults.fleet import Build, Fleet
        from tests.stack.faults.watch import Watch

        self.fleet, self.log = Fleet(Build("postgresql")), RequestLog()
        self.fleet.start()
        self.watch = Watch(self.fleet.database)
        self.client = LoggingClient(self.fleet.url, self.log)
        self.numbers: dict[str, int] = {}

    def submit(self, number: int) -> None:
        from bench.peers.work import STEPS
        from tests.stack.faults.orders import Order

        # a number of steps of its own: it trains alone, as the peers' jobs do
        spec = {"stage": "numpy", "dtype": "float64", "steps": STEPS + number, "seed": number}
        self.numbers[self.client.submit(Order(f"job-{number}", spec))] = number

    def slot(self) -> list[psutil.Process]:
        from tests.stack.faults.arena import worker_processes

        busy = self.watch.busy()
        return worker_processes(busy[0]) if busy else []

    def counts(self) -> tuple[Counter[int], Counter[int]]:
        from tests.stack.faults.rows import Rows

        begun: Counter[int] = Counter()
        done: Counter[int] = Counter()
        for event in Rows.read(self.fleet.database).all_events():
            begun[self.numbers[str(event.job_id)]] += event.to_state == "running"
            done[self.numbers[str(event.job_id)]] += event.to_state == "succeeded"
        return begun, done

    def tend(self) -> None:
        self.fleet.tend()

    def kill_redis(self) -> None:
        self.fleet.redis.kill()
        time.sleep(1)
        self.fleet.redis.start()

    def flush_redis(self) -> None:
        with self.fleet.redis.client() as client:
            client.flushall()

    def kill_pool(self) -> None:
        pool = self.fleet.hosts[0].pool
        assert pool.pid is not None
        for each in psutil.Process(pool.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                each.kill()
        pool.kill()

    def stop(self) -> None:
        import shutil

        self.client.close()
        self.fleet.stop()
        self.fleet.remove()
        shutil.rmtree(self.fleet.folder, ignore_errors=True)


SYSTEMS: dict[str, type[System]] = {kind.name: kind for kind in (Gradyard, CeleryPeer, RqPeer)}


def signal_all(processes: list[psutil.Process], number: signal.Signals) -> None:
    """The same signal to each that still lives."""
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            each.send_signal(number)
