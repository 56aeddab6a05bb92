"""A process that stopped in the middle of a write to SQLite is ended; one that works, or that holds nothing, is not."""

import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.upkeep import write_lock
from gradyard.store.upkeep.in_use import file_of
from tests.stack.until import until
from workers.clock_watch import ClockWatch
from workers.stopped_writer import LOOK_SECONDS, PART_OF_LEASE, StoppedWriter

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.skipif(not write_lock.LOCKS.exists(), reason="this system does not tell who holds a lock"),
]
LEASE_SECONDS = 15.0
LOOKS = math.ceil(LEASE_SECONDS / 8 / LOOK_SECONDS)
WRITES = """
import sys
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
database = Database(sys.argv[1])
with database.begin() as connection:
    connection.exec_driver_sql("UPDATE projects SET name = 'stopped' WHERE id = 1")
    print("in the middle", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def file(database_url: str) -> Path:
    """The file of the database."""
    path = file_of(database_url)
    assert path is not None
    return path


@pytest.fixture
def writer(database_url: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process, in the middle of a writing transaction."""
    command = [sys.executable, "-c", WRITES, database_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the middle\n"
        yield process
        process.kill()


def stop(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGSTOP)
    until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)


def test_the_holder_of_the_write_lock_is_found(database: Database, file: Path, writer: "subprocess.Popen[str]") -> None:
    assert write_lock.holder_of(file) == writer.pid
    writer.kill()
    writer.wait()
    assert write_lock.holder_of(file) is None
    with database.begin():
        assert write_lock.holder_of(file) == os.getpid()


def test_a_process_that_stopped_in_a_write_is_ended_after_an_eighth_of_a_lease(
    database: Database, file: Path, writer: "subprocess.Popen[str]"
) -> None:
    watch = StoppedWriter(file, LEASE_SECONDS)
    stop(writer)
    assert [watch.look() for _ in range(LOOKS)] == [False] * LOOKS
    assert watch.look()
    assert writer.wait(60) == -signal.SIGKILL
    with database.begin() as connection:
        assert connection.exec_driver_sql("SELECT name FROM projects WHERE id = 1").scalar_one() != "stopped"


def test_a_process_that_works_on_is_left_alone(database: Database, file: Path, writer: "subprocess.Popen[str]") -> None:
    watch = StoppedWriter(file, LEASE_SECONDS)
    assert not any(watch.look() for _ in range(3 * LOOKS))
    stop(writer)
    assert not any(watch.look() for _ in range(LOOKS))
    writer.send_signal(signal.SIGCONT)
    writer.communicate("")
    assert writer.returncode == 0
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT name FROM projects WHERE id = 1").scalar_one() == "stopped"


def test_a_stopped_process_that_holds_nothing_is_left_alone(
    database: Database, file: Path, writer: "subprocess.Popen[str]"
) -> None:
    watch = StoppedWriter(file, LEASE_SECONDS)
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], text=True)
    stop(sleeper)
    assert not any(watch.look() for _ in range(3 * LOOKS))
    assert sleeper.poll() is None
    sleeper.kill()
    sleeper.wait()


def test_a_round_of_maintenance_that_waited_for_it_is_no_leap_of_the_clock(database: Database) -> None:
    settings = Settings()
    waited = settings.lease_seconds * PART_OF_LEASE + 2 * LOOK_SECONDS  # until the look that ends it
    rounds_apart = waited + settings.maintenance_seconds + 0.5  # and what a round itself takes
    watch = ClockWatch(settings.lease_seconds, settings.maintenance_seconds)
    seconds = range(int(settings.lease_seconds) + 1)
    assert [watch.is_even(float(second)) for second in seconds][-1]
    assert watch.is_even(seconds[-1] + rounds_apart)
