"""`gradyard status`: one screen about the service."""

import json
from typing import Any

import pytest

from tests.cli.command_for_tests import Run, service
from tests.client.service_for_tests import Asked, FakeService, Said, job

READY = {"status": "ready", "database": "ok", "redis": "ok", "workers": {"cpu": 2, "gpu": 0}, "version": "0.2.0",
         "database_kind": "PostgreSQL"}  # fmt: skip
FAILED = job(state="failed", reason="diverged", message="the loss of step 7 is not finite")


def slot(state: str) -> dict[str, Any]:
    return {
        "id": state,
        "host": "h",
        "slot": "cpu-0",
        "queue": "cpu",
        "state": state,
        "versions": {"gradyard": "0.1.0"},
    }


ANSWERS: dict[str, Any] = {
    "readyz": READY,
    "queues": {"queues": [{"name": "cpu", "depth": 1234, "idle_slots": 1, "live_slots": 2}]},
    "workers": {"workers": [slot("busy"), slot("idle"), slot("busy")]},
    "jobs": {"jobs": [FAILED], "next_cursor": None},
}


def test_the_status_is_on_one_screen(run: Run) -> None:
    with service(**ANSWERS).running() as running:
        ended = run("status", "--url", running.url)
    for text in (running.url, "ready", "gradyard 0.2.0, workers with 0.1.0", "PostgreSQL", "1,234",
                 "cpu: 2 busy, 1 idle", "diverged: the loss of step 7 is not finite"):  # fmt: skip
        assert text in ended.out
    assert (ended.status, len(ended.out.splitlines()) < 24) == (0, True)
    assert running.asked[-1].params == {"state": "failed", "limit": "5"}


def test_the_status_is_json_for_scripts(run: Run) -> None:
    with service(**ANSWERS).running() as running:
        answer = json.loads(run("status", "--json", "--url", running.url).out)
    assert (answer["url"], answer["status"], answer["database_kind"]) == (running.url, "ready", "PostgreSQL")
    assert [len(answer[name]) for name in ("queues", "slots", "newest_failures")] == [1, 3, 1]


@pytest.mark.parametrize(
    ("readiness", "why"),
    [
        ({"status": "degraded", "redis": "does not answer"}, "Redis: does not answer"),
        ({"status": "degraded", "workers": {"cpu": 0, "gpu": 0}}, "`gradyard worker` starts workers"),
    ],
)
def test_a_degraded_service_says_why(run: Run, readiness: dict[str, Any], why: str) -> None:
    with service(**ANSWERS | {"readyz": READY | readiness}).running() as running:
        ended = run("status", "--url", running.url)
    assert ended.status == 0
    assert "degraded" in ended.out
    assert why in ended.out


def test_an_unavailable_service_ends_with_1_and_is_asked_nothing_more(run: Run) -> None:
    def respond(_: Asked) -> Said:
        return Said(503, {"status": "unavailable", "database": "does not answer", "redis": "ok", "workers": {}})

    with FakeService(respond).running() as running:
        ended = run("status", "--url", running.url)
    assert (ended.status, len(running.asked)) == (1, 1)
    assert "the database: does not answer" in ended.out
