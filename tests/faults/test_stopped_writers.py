"""A process that is stopped inside a write to SQLite is seen, and what waits for it is not the service's time."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gradyard.store.database import Database
from tests.faults.arena import Done
from tests.faults.bites import STOPPED_WRITER, Journal
from tests.faults.client import Asked, RequestLog
from tests.faults.figures import cancels
from tests.faults.host_faults import MAINTENANCE_STOPPED
from tests.faults.rows import Rows
from tests.faults.stopped_writers import NAME, StoppedWriters, seconds_held, stopped_writer
from tests.faults.stories import slow_requests
from tests.faults.watch import Watch
from tests.stack.until import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells who holds a lock")

WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("CREATE TABLE t (x)")
connection.execute("BEGIN IMMEDIATE")
print("inside", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.db"


@pytest.fixture
def writer(file: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process inside a write."""
    command = [sys.executable, "-c", WRITER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "inside\n"
        yield process
        process.kill()


def test_a_writer_is_seen_while_it_is_stopped(file: Path, writer: "subprocess.Popen[str]") -> None:
    assert stopped_writer(file) is None
    writer.send_signal(signal.SIGSTOP)
    until(lambda: stopped_writer(file) == writer.pid)
    writer.send_signal(signal.SIGCONT)
    until(lambda: stopped_writer(file) is None)


def test_the_journal_has_for_how_long_a_stopped_writer_held_the_lock(
    file: Path, writer: "subprocess.Popen[str]"
) -> None:
    noted: list[tuple[str, float, str]] = []
    arena: Any = SimpleNamespace(
        fleet=SimpleNamespace(database_url=f"sqlite:///{file}"), note=lambda *e: noted.append(e)
    )
    writer.send_signal(signal.SIGSTOP)
    watch = StoppedWriters(arena)
    watch.start()
    until(lambda: watch.holder == writer.pid)
    writer.kill()
    until(lambda: bool(noted))
    watch.stop()
    [(fault, _, what)] = noted
    assert (fault, what) == (NAME, STOPPED_WRITER)


def cancel_from(at: float, seconds: float) -> Asked:
    return Asked(at, seconds, "POST", "/v1/jobs/one/cancel", 200, job_id="one")


@pytest.fixture
def journal(database: Database) -> Journal:
    """Cancels of two seconds, one of them while a stopped process held the lock."""
    done = [Done(NAME, 100.0, 102.2, STOPPED_WRITER), Done("F24", 190.0, 207.0, MAINTENANCE_STOPPED),
            Done(NAME, 200.0, 207.0, STOPPED_WRITER)]  # fmt: skip
    log = RequestLog(asked=[cancel_from(101.0, 2.0), cancel_from(150.0, 2.0), cancel_from(170.0, 0.1)])
    return Journal(done, log, Rows({}, {}, {}, {}), Watch(database))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_cancel_that_waited_for_a_stopped_writer_is_not_measured(journal: Journal) -> None:
    assert [asked.at for asked in cancels(journal)] == [150.0, 170.0]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_how_long_it_held_the_lock_is_measured_where_maintenance_could_end_it(journal: Journal) -> None:
    assert seconds_held(journal) == pytest.approx([2.2])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_slow_request_is_told_with_the_faults_at_that_time(journal: Journal) -> None:
    journal.done.append(Done("F18", 149.0, 151.0, "ten maintenance loops"))
    first, *others = slow_requests(journal)
    assert first == "POST /v1/jobs/one/cancel took 2.0 s from 150.00; meanwhile"
    assert others == ["  -1.00 to +1.00 s: F18 ten maintenance loops "]
