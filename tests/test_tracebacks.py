"""The logs of our own processes are looked through for errors that none of them expected."""

from pathlib import Path

from tests.tracebacks import unexpected_errors

LOG = """\
[12:00:01] Task gradyard.train[1] succeeded
[12:00:02] Task gradyard.train[2] raised unexpected: AssertionError('no')
Traceback (most recent call last):
  File "tasks.py", line 36, in train
    if passed:

AssertionError: no
[12:00:03] Task gradyard.train[3] succeeded
"""


def test_each_traceback_is_told_with_its_log_the_line_before_it_and_its_error(tmp_path: Path) -> None:
    (tmp_path / "hosts").mkdir()
    (tmp_path / "hosts" / "pool.log.1").write_text(LOG)
    (tmp_path / "api.log").write_text("GET /v1/jobs 200\n")
    told = "[12:00:02] Task gradyard.train[2] raised unexpected: AssertionError('no')"
    assert unexpected_errors(tmp_path) == [f"hosts/pool.log.1: {told}: AssertionError: no"]
