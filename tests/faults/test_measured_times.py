"""What is measured is the service's time: not that of the fault runner's threads, nor what a job trained on."""

import http.server
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from gradyard.store.database import Database
from tests.faults.arena import Done
from tests.faults.bites import Journal
from tests.faults.client import LoggingClient, RequestLog
from tests.faults.figures import resumes
from tests.faults.lone_transport import LoneTransport
from tests.faults.rows import Rows
from tests.faults.watch import AttemptSeen, Watch

WORKER = "cpu-0@host"


class Cancelled(http.server.BaseHTTPRequestHandler):
    """Answers each cancel with the job, if it comes with a key."""

    def do_POST(self) -> None:
        body = b'{"id": "one", "state": "cancelled"}'
        self.send_response(200 if self.headers["Authorization"] else 401)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cancelled) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_cancel_is_measured_by_another_process_and_logged(url: str) -> None:
    log = RequestLog()
    LoggingClient(url, log).cancel("one")
    [asked] = log.asked
    assert (asked.path, asked.status, asked.job_id, asked.state) == ("/v1/jobs/one/cancel", 200, "one", "cancelled")
    assert 0 < asked.seconds < 60


def test_a_service_that_is_away_is_told_as_such() -> None:
    with httpx.Client(transport=LoneTransport()) as client, pytest.raises(httpx.ConnectError):
        client.post("http://127.0.0.1:1/v1/jobs/one/cancel")


def event(attempt: int, at: float, to: str, steps_done: int | None = None, kind: str = "") -> Any:
    return SimpleNamespace(
        job_id="one", attempt=attempt, at=at, to_state=to, from_state="running", steps_done=steps_done, kind=kind,
        actor=f"worker {WORKER} (pid 1)", detail=None,
    )  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("recorded", "trains_after"), [(0, 1.0), (500, 4.0)])
def test_a_job_that_succeeded_trained_before_and_not_all_of_that_is_a_recovery(
    database: Database, recorded: int, trains_after: float
) -> None:
    events = [
        event(1, 100.5, "queued", recorded, "runner_died"), event(2, 100.6, "running"), event(2, 104.0, "succeeded"),
    ]  # fmt: skip
    rows = Rows({"one": SimpleNamespace(train_seconds=3.0)}, {"one": events}, {}, {})  # type: ignore[dict-item]
    killed = Done("F1", 100.0, 100.1, "runner", members=(("one", 1),), worker=WORKER)  # type: ignore[arg-type]
    [seconds] = Journal([killed], RequestLog(), rows, Watch(database)).recovery_seconds("F1")[
        "trains again after F1 (runner)"
    ]
    assert seconds == pytest.approx(trains_after)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("trains_since", "recorded_at", "cost"), [(99.0, 90.0, 3.5), (None, 90.0, 2.5), (91.0, 95.0, 5.0)]
)
def test_to_start_a_runner_is_no_training_that_a_kill_cost(
    database: Database, trains_since: float | None, recorded_at: float, cost: float
) -> None:
    rows = Rows({"one": SimpleNamespace()}, {"one": [event(1, 100.5, "queued", 0, "runner_died")]}, {}, {})  # type: ignore[dict-item]
    killed = Done("F1", 100.0, 100.1, "runner", members=(("one", 1),), worker=WORKER)  # type: ignore[arg-type]
    watch = Watch(database)
    watch.seen["one", 1] = AttemptSeen(0, 0, 9, WORKER, recorded_at, trains_since)  # type: ignore[index]
    found = resumes(Journal([killed], RequestLog(), rows, watch), set())
    assert found.most_seconds_redone == pytest.approx(cost)
