"""Submissions in a transaction of the test's, alone or at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from gradyard.jobs.errors import QueueFull
from gradyard.jobs.submission.batches import ParsedBatch
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.tables import Job


def submitted(connection: Connection, parsed: ParsedJob, max_queued: int = 1000, **more: Any) -> UUID:
    """Submit a job to the default project and return its id."""
    about: dict[str, Any] = {"project_id": 1, "actor": "test"} | more
    return lifecycle.submit(connection, parsed, max_queued=max_queued, **about).job_id


def submitted_batch(connection: Connection, parsed: ParsedJob, size: int, max_queued: int, **more: Any) -> UUID:
    """Submit a batch of equal jobs to the default project and return its id."""
    about: dict[str, Any] = {"project_id": 1, "actor": "test", "body_sha256": "of the batch"} | more
    return lifecycle.submit_batch(connection, ParsedBatch([parsed] * size), max_queued=max_queued, **about).batch_id


def at_once(database: Database, times: int, does: Callable[[Connection], UUID]) -> list[UUID | None]:
    """What so many transactions return that do this at the same moment; None where the queue is full."""
    barrier = Barrier(times)

    def one(_: int) -> UUID | None:
        try:
            with database.begin() as connection:
                if not database.is_sqlite:  # there a transaction is alone from its begin on
                    connection.execute(select(1))
                    barrier.wait()
                return does(connection)
        except QueueFull:
            return None

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(one, range(times)))


def waiting(database: Database) -> int:
    """How many jobs wait."""
    with database.read() as connection:
        return connection.execute(select(func.count()).where(Job.state == "queued")).scalar_one()
