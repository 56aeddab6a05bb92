"""The holder of SQLite's write lock is found also where its open files may not be looked at."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.processes_for_tests import without_reading_others

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone tells who holds a lock")

HOLDS = """
import sqlite3, sys, time
from gradyard.processes.private_memory import keep_memory_private
keep_memory_private()
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("BEGIN IMMEDIATE")
print("holds", flush=True)
time.sleep(600)
"""
ASKS = "import sys; from pathlib import Path; from gradyard.store.upkeep.write_lock import holder_of; "
ASKS += "print(holder_of(Path(sys.argv[1])))"


def test_a_process_with_private_memory_is_found_by_one_that_is_not_root(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    line = [sys.executable, "-c", HOLDS, str(file)]
    holder = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, preexec_fn=without_reading_others)
    try:
        assert holder.stdout is not None
        with holder.stdout:
            assert holder.stdout.readline() == "holds\n"
        asks = [sys.executable, "-c", ASKS, str(file)]
        assert int(subprocess.check_output(asks, preexec_fn=without_reading_others)) == holder.pid
    finally:
        holder.kill()
        holder.wait()
