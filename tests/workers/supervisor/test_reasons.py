"""Why a job has left its worker is logged as it was, and only a job that ended is counted as finished."""

import threading
from dataclasses import replace

import pytest
import structlog

from gradyard.jobs.settings import Settings
from gradyard.store import fleet, queries
from gradyard.store.database import Database
from tests.actors import claimed, submitted
from tests.stack.until import until
from workers.supervisor.attempt import Attempt
from workers.supervisor.pack import Pack
from workers.supervisor.worker_context import WorkerContext

pytestmark = [
    pytest.mark.slow,
    pytest.mark.together,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


def reasons(context: WorkerContext, database: Database) -> list[str]:
    """Train what waits, and return why each part of the pack was finished with."""
    pack = Pack(claimed(database, context.worker), context.runner.hello)
    with structlog.testing.capture_logs() as lines:
        Attempt(context, pack).run()
    return sorted(line["reason"] for line in lines if line["event"] == "finished")


def counted(context: WorkerContext) -> tuple[int, float]:
    """How many jobs count as finished, and in the histogram of training times."""
    _, happened = context.heartbeat.throughput.report()
    buckets, _ = fleet.TRAINING.read(happened)
    return happened.get("jobs_finished", 0), buckets[-1][1]


def test_a_job_that_is_handed_back_as_its_worker_stops_is_logged_as_stopped_and_not_counted(
    context: WorkerContext, database: Database, settings: Settings
) -> None:
    job = submitted(database, settings, stage="numpy", steps=10_000_000, dtype="float32")
    stopping = threading.Event()

    def stop_after_a_record() -> None:
        until(lambda: recorded(database, job) > 0)
        stopping.set()

    threading.Thread(target=stop_after_a_record, daemon=True).start()
    assert reasons(replace(context, stopping=stopping.is_set), database) == ["stopped"]
    assert counted(context) == (0, 0.0)


def recorded(database: Database, job: object) -> int:
    with database.read() as connection:
        return int(queries.job_by_id(connection, 1, job).steps_done)  # type: ignore[arg-type]


def test_of_one_pack_each_job_is_logged_for_its_own_reason(
    context: WorkerContext, database: Database, settings: Settings
) -> None:
    submitted(database, settings, stage="numpy", steps=1, dtype="float32")
    submitted(database, settings, stage="numpy", steps=1, dtype="float32", learning_rate=1e38)
    assert reasons(context, database) == ["diverged", "trained"]
    assert counted(context) == (2, 2.0)
