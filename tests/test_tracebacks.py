"""The logs of our own processes are looked through for errors that none of them expected."""

from pathlib import Path

from tests.tracebacks import unexpected_errors

TRACEBACK = """\
Traceback (most recent call last):
  File "tasks.py", line 36, in train
    if passed:

AssertionError: no
"""
IN_A_TASK = "[2026-11-28 12:00:02,000: ERROR/ForkPoolWorker-1] Task gradyard.train[2] raised unexpected: no"
IN_A_THREAD = "2026-11-28T12:00:03.000000Z [error    ] heartbeat failed worker=cpu-0"
IN_A_REQUEST = "request 01a2 failed"
OF_A_KILLED_CHILD = "[2026-11-28 12:00:04,000: ERROR/MainProcess] Task handler raised error: WorkerLostError('SIGKILL')"


def test_each_record_with_a_traceback_is_listed_with_its_log_and_its_first_error(tmp_path: Path) -> None:
    (tmp_path / "hosts").mkdir()
    chained = f"{TRACEBACK}\nThe above exception was the direct cause of the following exception:\n\n{TRACEBACK}"
    (tmp_path / "hosts" / "pool.log.1").write_text(f"{IN_A_TASK}\n{chained}{IN_A_THREAD}\n{TRACEBACK}")
    (tmp_path / "api.log").write_text(f'{{"status": 200}}\n{IN_A_REQUEST}\n{TRACEBACK}{{"status": 500}}\n')
    assert unexpected_errors(tmp_path) == [
        f"api.log: {IN_A_REQUEST}: AssertionError: no",
        f"hosts/pool.log.1: {IN_A_TASK}: AssertionError: no",
        f"hosts/pool.log.1: {IN_A_THREAD}: AssertionError: no",
    ]


def test_what_celery_tells_of_strangers_and_of_killed_children_is_expected(tmp_path: Path) -> None:
    (tmp_path / "host.log").write_text(f"{OF_A_KILLED_CHILD}\n{TRACEBACK}\n\n{TRACEBACK}{IN_A_THREAD}\n")
    assert unexpected_errors(tmp_path) == []
