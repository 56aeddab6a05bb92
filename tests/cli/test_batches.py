"""Batches on the command line: shown with their failures, followed to the end, cancelled, retried and deleted."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.cli.command_for_tests import DONE, Run
from tests.client.service_for_tests import JOB_ID, Asked, FakeService, Said, job, problem, stream

BATCH_ID = "0199c0de-1111-7000-8000-000000000001"
FAILURES = [
    {"reason": "diverged", "count": 2, "job": "job-a", "message": "the loss of step 25 is not finite"},
    {"reason": "timeout", "count": 1, "job": "job-b", "message": None},
]


def batch(**changed: Any) -> dict[str, Any]:
    """A finished batch with three failures, in the form of the service's answers. `changed` replaces fields."""
    counts = {"queued": 0, "running": 0, "succeeded": 7, "failed": 3, "cancelled": 0}
    usual = {"id": BATCH_ID, "name": "ten", "size": 10, "submitted_at": "2026-11-23T09:00:00Z", "state": "finished"}
    sweep = {"grid": {"learning_rate": [1e-7, 1e-6]}, "random": {}}
    return {**usual, "counts": counts, "sweep": sweep, "failures": FAILURES, **changed}


GOOD = batch(counts={"succeeded": 10}, failures=[])
RUNNING = batch(state="running", counts={"running": 10}, failures=[])
NOW = {"batch": BATCH_ID, "state": "running", "size": 10, "counts": {"running": 10}}


@contextmanager
def with_batch(state: dict[str, Any], **answers: Any) -> Iterator[FakeService]:
    """A service with one batch. `answers` replaces or adds answers, by the last part of their path."""
    best = {"jobs": [{**DONE, "spec": {"stage": "nn", "learning_rate": 1e-6}}]}
    usual: dict[str, Any] = {BATCH_ID: state, "best": best, "batches": {"batches": [state], "next_cursor": None}}
    known = usual | answers

    def respond(asked: Asked) -> Said:
        if asked.method == "POST" and asked.path == "/v1/batches":
            return Said(202, {"id": BATCH_ID, "size": 10})
        if asked.method == "DELETE":
            return Said(200, {"id": BATCH_ID, "deleted": 10})
        if asked.path.endswith("events"):
            return stream(counts=NOW, **({"batch_ended": state} if state["state"] == "finished" else {}))
        answer = known[asked.path.rsplit("/", 1)[-1]]
        return answer if isinstance(answer, Said) else Said(200, answer)

    with FakeService(respond).running() as running:
        yield running


def test_a_batch_is_shown_with_its_failures_by_reason_and_its_best_jobs(run: Run) -> None:
    with with_batch(batch()) as service:
        shown = run("batches", "show", BATCH_ID, "--url", service.url)
    for text in (
        "7 succeeded, 3 failed",
        "2 diverged: such as job-a: the loss of step 25 is not finite",
        "1 timeout: job-b",
        f"jobs --batch {BATCH_ID} --state failed",
        f"batches retry {BATCH_ID}",
        "learning_rate",
        "1e-06",
    ):
        assert text in shown.out
    assert shown.status == 0


def test_a_batch_is_shown_as_json(run: Run) -> None:
    with with_batch(batch()) as service:
        shown = json.loads(run("batches", "show", BATCH_ID, "--json", "--url", service.url).out)
    assert shown["failures"] == FAILURES


def test_the_best_jobs_are_listed(run: Run) -> None:
    with with_batch(batch()) as service:
        assert JOB_ID in run("batches", "best", BATCH_ID, "-n", "3", "--url", service.url).out
    assert service.asked[0].params == {"limit": "4"}  # one more, to say whether there are more


@pytest.mark.parametrize(("state", "status"), [(GOOD, 0), (batch(), 1)])
def test_watching_a_batch_ends_with_0_only_if_every_job_succeeded(run: Run, state: dict[str, Any], status: int) -> None:
    with with_batch(state) as service:
        ended = run("batches", "watch", BATCH_ID, "--url", service.url)
        as_json = run("batches", "watch", BATCH_ID, "--json", "--url", service.url)
    assert (ended.status, as_json.status) == (status, status)
    assert JOB_ID in ended.out
    lines = [json.loads(line) for line in as_json.out.splitlines()]
    assert [line["event"] for line in lines] == ["counts", "batch_ended", "best"]
    assert (lines[1]["id"], lines[2]["jobs"][0]["id"]) == (BATCH_ID, JOB_ID)


def test_a_sweep_with_failures_tells_them_by_reason_and_how_to_see_the_rest(run: Run) -> None:
    with with_batch(batch()) as service:
        ended = run("sweep", "--stage", "nn", "--grid", "seed=0:10", "--url", service.url)
    assert ended.status == 1
    assert "2 diverged: such as job-a: the loss of step 25 is not finite\n" in ended.err
    assert f"jobs --batch {BATCH_ID} --state failed" in ended.err


def test_ctrl_c_in_a_sweep_prints_the_commands_that_go_on_and_stop_it() -> None:
    command = [sys.executable, "-m", "gradyard", "sweep", "--stage", "nn", "--grid", "seed=0:10"]
    with with_batch(RUNNING) as service:
        process = subprocess.Popen(
            [*command, "--url", service.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        while not any(asked.path.endswith("events") for asked in service.asked):
            assert process.poll() is None
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert f"batch {BATCH_ID} goes on" in err
    assert f"gradyard watch {BATCH_ID}` follows it again" in err
    assert f"batches cancel {BATCH_ID}` stops it" in err
    assert "Traceback" not in err


def test_batches_are_cancelled_retried_and_deleted_by_id(run: Run) -> None:
    retried = {"id": BATCH_ID, "retried": 3, "size": 10}
    with with_batch(batch(), cancel=batch(), retry=retried) as service:
        cancelled = run("batches", "cancel", BATCH_ID, "--url", service.url)
        again = run("batches", "retry", BATCH_ID, "--url", service.url)
        all_again = run("batches", "retry", BATCH_ID, "--cancelled", "--json", "--url", service.url)
        deleted = run("batches", "delete", BATCH_ID, "--url", service.url)
    assert cancelled.out == f"{BATCH_ID} finished: 7 succeeded, 3 failed\n"
    assert again.out == f"{BATCH_ID} 3 of 10 jobs submitted anew\n"
    assert json.loads(all_again.out) == [retried]
    assert deleted.out == f"{BATCH_ID} deleted with 10 jobs\n"
    bodies = [asked.body for asked in service.asked if asked.path.endswith("retry")]
    assert [bodies[0], json.loads(bodies[1])] == [b"", {"states": ["failed", "cancelled"]}]


def test_nothing_to_retry_is_said(run: Run) -> None:
    with with_batch(batch(), retry={"id": BATCH_ID, "retried": 0, "size": 10}) as service:
        ended = run("batches", "retry", BATCH_ID, "--url", service.url)
    assert (ended.status, ended.out) == (0, f"{BATCH_ID} has nothing to retry\n")


def test_a_running_batch_cannot_be_deleted(run: Run) -> None:
    refuse = problem(409, "It is not finished", "10 of its jobs wait or run; cancel the batch first")
    with FakeService(lambda _: refuse).running() as service:
        ended = run("batches", "delete", BATCH_ID, "--url", service.url)
    assert (ended.status, ended.out) == (1, "")
    assert "cancel the batch first" in ended.err


def test_a_cut_list_of_batches_says_so(run: Run) -> None:
    both = {"batches": [batch(), batch()], "next_cursor": None}
    with with_batch(batch(), batches=both) as service:
        cut = run("batches", "--limit", "1", "--url", service.url)
        whole = run("batches", "--limit", "2", "--url", service.url)
    assert cut.err == "1 of 2 shown; --limit 2\n"
    assert whole.err == ""


def test_an_export_of_a_batch_is_a_verb_too(run: Run) -> None:
    with with_batch(batch(), export=Said(200, b'{"id": "a"}\n')) as service:
        first, second = (run(*words, BATCH_ID, "--url", service.url) for words in (("export",), ("batches", "export")))
    assert first == second
    assert first.out == '{"id": "a"}\n'


def test_jobs_of_a_batch_are_listed(run: Run) -> None:
    with with_batch(batch(), jobs={"jobs": [job()], "next_cursor": None}) as service:
        run("jobs", "--batch", BATCH_ID, "--state", "failed", "--url", service.url)
    assert {"batch": BATCH_ID, "state": "failed"}.items() <= service.asked[0].params.items()
