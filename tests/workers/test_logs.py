"""What workers write, for people and for programs."""

import json
import subprocess
import sys
from uuid import UUID

import pytest

from gradyard.store.lifecycle import ClaimedJob
from workers.logs import names

SCRIPT = """
import sys, structlog
from gradyard.jobs.settings import load
from workers.logs import write_logs
write_logs(load(log_format=sys.argv[1], log_level="INFO"), {"worker": "cpu-0@host", "worker_id": "7"})
log = structlog.get_logger()
log.debug("too quiet to hear")
log.warning("fenced", job="01a2", attempt=3)
log.warning("named", pool="\x1b]0;owned\x07", reason="a b\u202e\x9b")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("it broke")
"""


@pytest.fixture(scope="module")
def lines(request: pytest.FixtureRequest) -> list[str]:
    """What a process writes in that format."""
    ended = subprocess.run([sys.executable, "-c", SCRIPT, request.param], capture_output=True, text=True, check=True)
    assert ended.stdout == ""
    return ended.stderr.splitlines()


@pytest.mark.parametrize("lines", ["json"], indirect=True, scope="module")
def test_each_line_is_an_object_that_names_worker_job_and_attempt(lines: list[str]) -> None:
    fenced, named, broke = map(json.loads, lines)
    known = {"worker": "cpu-0@host", "worker_id": "7", "job": "01a2", "attempt": 3, "event": "fenced"}
    assert fenced.items() >= known.items()
    assert fenced["timestamp"].endswith("Z")
    assert "ZeroDivisionError" in broke["exception"]
    assert named["pool"] == "\x1b]0;owned\x07"


@pytest.mark.parametrize("lines", ["text"], indirect=True, scope="module")
def test_people_read_the_same_as_text(lines: list[str]) -> None:
    assert "fenced" in lines[0]
    assert "job=01a2" in lines[0]
    assert "worker=cpu-0@host" in lines[0]


@pytest.mark.parametrize("lines", ["json", "text"], indirect=True, scope="module")
def test_text_of_others_is_text_in_the_log(lines: list[str]) -> None:
    assert all(line.isprintable() for line in lines)
    assert r"\u001b]0;owned\u0007" in lines[1]


def test_a_line_about_a_pack_names_every_job_and_attempt() -> None:
    members = [ClaimedJob(UUID(int=number), 2, UUID(int=9), {}, {}, "", 1.0, 0, None) for number in (7, 8)]
    assert names(members[:1]) == {"job": str(UUID(int=7)), "attempt": 2}
    assert names(members) == {"jobs": [f"{UUID(int=7)}/2", f"{UUID(int=8)}/2"]}
