"""A runner that still loads torch from a cold disk is waited for, and one that hangs is not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.runner_client import start_deadline
from workers.runner_client.start_deadline import LONGEST_START_SECONDS, START_SECONDS, StartDeadline

READS = """
import os, sys
for _ in sys.stdin:
    file = os.open(sys.argv[1], os.O_RDONLY)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.read(file, 2**20)
    os.close(file)
    print("read", flush=True)
"""


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(start_deadline, "time", clock)
    return clock


@pytest.fixture
def reader(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that reads from the disk when it is told to."""
    large = tmp_path / "large"
    large.write_bytes(os.urandom(2**20))
    with large.open("rb") as file:
        os.fsync(file.fileno())
    command = [sys.executable, "-c", READS, str(large)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reading:
        yield reading
        reading.kill()


def reads(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "read\n"


def test_a_runner_that_reads_nothing_gets_two_minutes(clock: Clock) -> None:
    deadline = StartDeadline(os.getpid())
    deadline.is_over()
    clock.now = START_SECONDS
    assert not deadline.is_over()
    clock.now += 1.0
    assert deadline.is_over()


def test_a_runner_that_still_reads_gets_more_but_not_for_ever(clock: Clock, reader: "subprocess.Popen[str]") -> None:
    deadline = StartDeadline(reader.pid)
    while clock.now <= LONGEST_START_SECONDS:
        before = deadline._bytes
        reads(reader)
        if deadline._bytes_read() == before:
            pytest.skip("this disk is a memory")
        assert not deadline.is_over()
        clock.now += START_SECONDS - 1.0
    assert deadline.is_over()
    assert "MiB from its disk" in str(deadline)
