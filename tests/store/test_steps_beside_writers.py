"""Steps of migrations run while workers claim and clients submit: on PostgreSQL no writer fails or waits for long."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

import migrations
from gradyard.jobs.settings import Settings
from gradyard.store import database as store_database
from gradyard.store.database import Database
from migrations import running
from tests.actors import claimed, submitted, succeeds, worker_of
from tests.stack.until import until

# SQLite has no timeouts of statements, and one writer at a time in any case.
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

LATER_STEP = """
import sqlalchemy as sa
from alembic import op
from migrations.online import check_words, create_index

revision, down_revision, branch_labels, depends_on = "9998_pre", "{newest}", None, None

def upgrade():
    {body}
"""


@pytest.fixture
def later_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Adds a step of that body after the newest one, in a copy of the steps."""

    def add(body: str) -> None:
        newest, copy = running.newest_revision(), tmp_path / "steps"
        shutil.copytree(running.SCRIPTS, copy)
        (copy / "versions" / "v9998_pre_later.py").write_text(LATER_STEP.format(newest=newest, body=body))
        monkeypatch.setattr(running, "SCRIPTS", copy)

    return add


def test_a_step_may_take_longer_than_a_statement_of_the_service(
    database: Database, later_step: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_database, "SHORTEST_STATEMENT_TIMEOUT_SECONDS", 0.1)
    later_step('op.execute("SELECT pg_sleep(1.2)")')
    assert 3 * running.LOCK_TIMEOUT_SECONDS < 1.2
    migrations.upgrade(database.url)
    migrations.check(database)


@contextmanager
def writers(database: Database, settings: Settings) -> Iterator[list[float]]:
    """Two threads that submit, claim and finish jobs all the time; what each of these cycles took, in seconds."""
    finished, cycles = threading.Event(), list[float]()

    def write(slot: str) -> None:
        worker = worker_of(database, slot=slot, lease=600.0)
        while not finished.is_set():
            began = time.monotonic()
            submitted(database, settings)
            succeeds(database, claimed(database, worker))
            cycles.append(time.monotonic() - began)

    with ThreadPoolExecutor(2) as threads:
        running_writers = [threads.submit(write, slot) for slot in ("cpu-0", "cpu-1")]
        try:
            yield cycles
        finally:
            finished.set()
        for each in running_writers:
            each.result()  # raises what the writer met


def longest(cycles: list[float]) -> float:
    """Without those that both writers were in when the machine stood still for seconds."""
    return sorted(cycles)[-3]


def test_writers_go_on_during_steps(database: Database, settings: Settings, later_step: Callable[[str], None]) -> None:
    later_step("""
    op.add_column("jobs", sa.Column("added", sa.Integer(), nullable=True))
    create_index("ix_jobs_added", "jobs", ["added", "id"])
    check_words("jobs", "stage", ["tensor"])
    """)
    with writers(database, settings) as cycles:
        until(lambda: len(cycles) > 20)
        migrations.upgrade(database.url)
        written = len(cycles)
        until(lambda: len(cycles) > written + 20)
    assert max(cycles) < 30.0
    assert longest(cycles) < 5.0, "seven transactions, each of which may wait for one step's lock"


def test_an_upgrade_waits_for_a_long_transaction_and_lets_writers_pass(
    database: Database, settings: Settings, later_step: Callable[[str], None]
) -> None:
    later_step('op.add_column("job_events", sa.Column("added", sa.Integer(), nullable=True))')
    with writers(database, settings) as cycles, ThreadPoolExecutor(1) as threads:
        until(lambda: len(cycles) > 5)
        with database.snapshot() as reader:
            reader.exec_driver_sql("SELECT count(*) FROM job_events")  # its lock lasts as long as its transaction
            upgrade = threads.submit(migrations.upgrade, database.url)
            before = len(cycles)
            until(lambda: len(cycles) > before + 50)
            assert not upgrade.done()
        upgrade.result(60)
    migrations.check(database)
    assert longest(cycles) < 5.0
