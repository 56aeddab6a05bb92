"""Queues of Python functions on PostgreSQL, for measurements of speed: many jobs enqueued at once, and no-op jobs done.

Each runs in this process with one event loop, as its command does, with the fastest of a few options that were tried on
two cores: of concurrency 1, 10, 40 and 100, of batch_size 10, 100, 300 and 1000.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, LiteralString

import psycopg

Seconds = float


class Peer(ABC):
    """A queue with its own tables in an empty database. Its task does nothing."""

    name: str
    options: str  # of its worker, in words

    def __init__(self, url: str) -> None:
        """Make its tables. url: of an empty database."""
        self.url = url
        self.run(self.install())

    def run(self, work: Coroutine[Any, Any, Seconds]) -> Seconds:
        """Run to the end on a new event loop."""
        return asyncio.run(work)

    @abstractmethod
    async def install(self) -> Seconds:
        """Make the tables."""

    @abstractmethod
    async def enqueue(self, jobs: int) -> Seconds:
        """Enqueue that many jobs by one call, on an open connection."""

    @abstractmethod
    async def work_off(self) -> Seconds:
        """Do all jobs that wait, from the start of a worker until it has found none."""


class Procrastinate(Peer):
    """procrastinate: a row for each job and for each change of it, which stay."""

    name = "procrastinate"
    options = "concurrency 100, asyncio"

    async def install(self) -> Seconds:
        began = time.perf_counter()
        async with self._app().open_async() as app:
            await app.schema_manager.apply_schema_async()
        return time.perf_counter() - began

    async def enqueue(self, jobs: int) -> Seconds:
        async with self._app().open_async() as app:
            task, arguments = app.configure_task("nothing"), [{"number": number} for number in range(jobs)]
            began = time.perf_counter()
            await task.batch_defer_async(*arguments)
            return time.perf_counter() - began

    async def work_off(self) -> Seconds:
        async with self._app().open_async() as app:
            began = time.perf_counter()
            await app.run_worker_async(concurrency=100, wait=False, install_signal_handlers=False)
            return time.perf_counter() - began

    def _app(self) -> Any:
        from procrastinate import App, PsycopgConnector

        app = App(connector=PsycopgConnector(conninfo=self.url, min_size=2, max_size=10))

        @app.task(name="nothing")
        async def nothing(number: int) -> None: ...

        return app


class PgQueuer(Peer):
    """pgqueuer: a row for each job, which goes when it is done, and one of a log for each change of it."""

    name = "pgqueuer"
    options = "batch_size 1000, uvloop, psycopg"

    def run(self, work: Coroutine[Any, Any, Seconds]) -> Seconds:
        import uvloop

        return uvloop.run(work)

    async def install(self) -> Seconds:
        from pgqueuer.queries import Queries

        began = time.perf_counter()
        async with await self._connect() as connection:
            await Queries.from_psycopg_connection(connection).install()
        return time.perf_counter() - began

    async def enqueue(self, jobs: int) -> Seconds:
        from pgqueuer.queries import Queries

        async with await self._connect() as connection:
            queries = Queries.from_psycopg_connection(connection)
            payloads: list[bytes | None] = [b"%d" % number for number in range(jobs)]
            began = time.perf_counter()
            await queries.enqueue(["nothing"] * jobs, payloads, [0] * jobs)
            return time.perf_counter() - began

    async def work_off(self) -> Seconds:
        from pgqueuer import PgQueuer as Application
        from pgqueuer.types import QueueExecutionMode

        async with await self._connect() as connection:
            worker = Application.from_psycopg_connection(connection)

            @worker.entrypoint("nothing")
            async def nothing(job: Any) -> None: ...

            began = await self._seconds(connection, "SELECT extract(epoch FROM clock_timestamp())")
            await worker.qm.run(batch_size=1000, mode=QueueExecutionMode.drain, log_aggregation_interval=timedelta(0))
            # Its end is not the end of its work: it waits for seconds before it leaves.
            last = "SELECT extract(epoch FROM max(created)) FROM pgqueuer_log WHERE status = 'successful'"
            return await self._seconds(connection, last) - began

    async def _seconds(self, connection: "psycopg.AsyncConnection[Any]", query: LiteralString) -> Seconds:
        row = await (await connection.execute(query)).fetchone()
        assert row is not None
        return float(row[0])

    async def _connect(self) -> "psycopg.AsyncConnection[Any]":
        return await psycopg.AsyncConnection.connect(self.url, autocommit=True)
