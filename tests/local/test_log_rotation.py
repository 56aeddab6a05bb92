"""The log of a process that writes on and on stays small, and the process never notices."""

import errno
import re
import shutil
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest

from gradyard.local.log_rotation import KEPT, rotate
from gradyard.processes.children import Child

LARGEST = 50_000
WRITES_ON_AND_ON = "n = 0\nwhile True:\n    print('line', n, '.' * 60, flush=True)\n    n += 1"


def test_the_log_of_a_running_process_is_set_aside_again_and_again(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    child = Child("api", [sys.executable, "-c", WRITES_ON_AND_ON], None, log)
    child.start()
    rotated, until = 0, time.monotonic() + 60
    while rotated < KEPT + 3 and time.monotonic() < until:
        rotated += rotate(log, LARGEST)
        time.sleep(0.01)
    assert child.returncode() is None
    child.kill()
    assert rotated == KEPT + 3
    assert {each.name for each in tmp_path.iterdir()} == {"api.log", *(f"api.log.{n + 1}" for n in range(KEPT))}
    firsts = [int(re.findall(r"line (\d+) ", (tmp_path / f"api.log.{n + 1}").read_text())[0]) for n in range(KEPT)]
    assert firsts == sorted(firsts, reverse=True)
    assert b"\0" not in log.read_bytes()  # the process goes on at the new end, not where it was


def test_a_short_log_and_one_that_is_not_there_are_left(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    assert not rotate(log, LARGEST)
    log.write_text("short")
    assert not rotate(log, LARGEST)
    assert log.read_text() == "short"


def test_a_disk_that_takes_no_copy_gets_the_room_of_the_old_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> NoReturn:
        target.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    log = tmp_path / "api.log"
    log.write_bytes(b"x" * (LARGEST + 1))
    assert rotate(log, LARGEST)
    assert [(each.name, each.stat().st_size) for each in tmp_path.iterdir()] == [("api.log", 0)]
