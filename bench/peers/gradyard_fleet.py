"""gradyard as a `System`, to be compared with the peers."""

import time
from collections import Counter
from contextlib import suppress

import psutil

from bench.peers.system import System


class Gradyard(System):
    """The fleet of the fault runner on PostgreSQL, with the service's default settings."""

    name = "gradyard"

    def start(self) -> None:
        from tests.faults.client import LoggingClient, RequestLog
        from tests.faults.fleet import Build, Fleet
        from tests.faults.watch import Watch

        self.fleet, self.log = Fleet(Build("postgresql")), RequestLog()
        self.fleet.start()
        self.watch = Watch(self.fleet.database)
        self.client = LoggingClient(self.fleet.url, self.log)
        self.numbers: dict[str, int] = {}

    def submit(self, number: int) -> None:
        from bench.peers.work import STEPS
        from tests.faults.orders import Order

        # no other job has its number of steps, so it trains alone, as the peers' jobs do
        spec = {"stage": "numpy", "dtype": "float64", "steps": STEPS + number, "seed": number}
        self.numbers[self.client.submit(Order(f"job-{number}", spec))] = number

    def slot(self) -> list[psutil.Process]:
        from tests.faults.arena import runner_of, worker_processes

        for busy in self.watch.busy():
            if runner := runner_of(busy):
                return [*worker_processes(busy)[:2], runner]
        return []

    def counts(self) -> tuple[Counter[int], Counter[int]]:
        from tests.faults.rows import Rows

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
