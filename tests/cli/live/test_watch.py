"""`gradyard watch`, `submit --wait` and `logs --follow`: on a terminal a curve grows, a pipe gets lines."""

import io
import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from rich.console import Console

from gradyard.cli.live.follow_job import follow_job
from gradyard.client.client import Client
from gradyard.shapes import Job
from tests.cli.command_for_tests import DONE, Run
from tests.client.service_for_tests import JOB_ID, Asked, FakeService, Said, job, stream

QUEUED = {"position": 3, "reason": "all slots are busy", "estimated_start_at": None}
AT = "2026-11-23T09:00:00Z"


def move(sequence: int, to: str, **more: Any) -> dict[str, Any]:
    return {"job": JOB_ID, "sequence": sequence, "to": to, "at": AT, "attempt": 1, **more}


def progress(done: int) -> dict[str, Any]:
    return {"job": JOB_ID, "state": "running", "attempt": 1, "steps": 2000, "steps_done": done}


PART = {"job": JOB_ID, "from_step": 0, "to_step": 5, "losses": [500.0, 100.0, 30.0, 10.0, 8.5], "metrics": {}}
TOLD = {
    "move": [move(1, "queued"), move(2, "running", **{"from": "queued"})], "progress": [progress(1000)], "curve": PART,
    "ended": DONE,
}  # fmt: skip


def service(told: dict[str, Any], **answers: Any) -> FakeService:
    """A service with a job that waits, and whose stream tells this."""

    def respond(asked: Asked) -> Said:
        if asked.headers.get("Accept") == "text/event-stream":
            return stream(**told)
        last = asked.path.rsplit("/", 1)[-1]
        return Said(200, answers.get(last, job(waiting=QUEUED)))

    return FakeService(respond)


def on_a_terminal(width: int, height: int, encoding: str = "utf-8") -> str:
    """What a terminal of that size is shown of the job, without the moves of its cursor."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace")
    console = Console(file=file, width=width, height=height, force_terminal=True, color_system=None, highlight=False)
    with service(TOLD).running() as there, Client(there.url) as client:
        ended = follow_job(client, Job.model_validate(job(waiting=QUEUED)), console)
    assert ended.succeeded
    file.flush()
    return file.buffer.getvalue().decode()


@pytest.mark.parametrize(("width", "has_bar"), [(120, True), (60, False)])
def test_a_terminal_shows_the_curve_and_how_far_the_job_is(width: int, has_bar: bool) -> None:
    shown = on_a_terminal(width, 30)
    last = shown[shown.rindex("500 ┤") :]
    assert "log scale" in last
    assert "8.5 ┤" in last
    assert "succeeded" in last
    assert "step 2,000 of 2,000, loss 8.5" in last
    assert ("━" in last) == has_bar
    assert max(len(line) for line in last.splitlines()) <= width


def test_a_terminal_of_few_lines_shows_the_progress_alone() -> None:
    shown = on_a_terminal(80, 6)
    assert "┤" not in shown
    assert "step 2,000 of 2,000" in shown


def test_a_pipe_gets_plain_lines(run: Run) -> None:
    with service(TOLD).running() as there:
        ended = run("watch", JOB_ID, "--url", there.url)
    assert ended.status == 0
    assert "\x1b" not in ended.err + ended.out
    assert ended.err.splitlines() == [
        "nn        queued    number 3 in its queue, all slots are busy", "nn        running   at step 0 of 2,000",
        "nn        succeeded y = 1.25 + -0.5 x",
    ]  # fmt: skip
    assert ended.out == "succeeded in 250 ms: y = 1.25 + -0.5 x\n"


def test_json_is_a_line_for_each_message_as_the_service_tells_it(run: Run) -> None:
    with service(TOLD).running() as there:
        ended = run("watch", JOB_ID, "--json", "--url", there.url)
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert [line["event"] for line in lines] == ["move", "move", "progress", "curve", "ended"]
    assert lines[1]["from"] == "queued"
    assert lines[3]["losses"] == PART["losses"]
    assert (ended.status, lines[4]["id"], ended.err) == (0, JOB_ID, "")


def test_the_logs_of_attempts_are_printed_as_these_end(run: Run) -> None:
    back = move(3, "queued", **{"from": "running"})
    logs = {"logs": [{"attempt": 1, "text": "first\n"}, {"attempt": 2, "text": "second\n"}]}
    with service(TOLD | {"move": [*TOLD["move"], back]}, logs=logs).running() as there:
        ended = run("logs", JOB_ID, "--follow", "--url", there.url)
        as_json = run("logs", JOB_ID, "-f", "--json", "--url", there.url)
    assert ended.out == "attempt 1\nfirst\nattempt 2\nsecond\n"
    assert [json.loads(line)["attempt"] for line in as_json.out.splitlines()] == [1, 2]


@pytest.mark.parametrize("words", [("watch", JOB_ID), ("logs", JOB_ID, "-f"), ("submit", "--stage", "nn", "--wait")])
def test_ctrl_c_says_what_goes_on_and_how_to_follow_it(words: tuple[str, ...]) -> None:
    with service({"progress": progress(7)}).running() as there:
        process = subprocess.Popen(
            [sys.executable, "-m", "gradyard", *words, "--url", there.url], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        while not any(asked.path.endswith("events") for asked in there.asked):
            assert process.poll() is None
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"job {JOB_ID} goes on; " in err
    assert "Traceback" not in err
