"""The load client leads jobs through every verb, and the checker finds builds that break what it was told."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import insert, select, update

from gradyard.jobs.curves import Summary
from gradyard.jobs.states import Reason
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.dialects import now
from gradyard.store.lifecycle import CancelledSlice, ClaimedJob, Outcome, Progress
from gradyard.store.queries import jobs
from gradyard.store.tables import DeletedJob, Job
from tests.actors import worker_of
from tests.faults.access import keys_of_two_projects
from tests.faults.backlog import Backlog
from tests.faults.checker import Verdict, check_jobs, check_requests
from tests.faults.client import LoggingClient, RequestLog
from tests.faults.lives import Lives, counted
from tests.faults.orders import OrderBook
from tests.faults.rows import Rows
from tests.faults.verb_checks import check_verbs, rows_left
from tests.service.conftest import AppWith, app, app_with  # noqa: F401

pytestmark = pytest.mark.slow

URL = "http://127.0.0.1"
BETWEEN_CLAIMS_SECONDS, BEFORE_A_CANCEL_SECONDS = 0.03, 0.4  # so that the cancel of a batch finds jobs that wait


class Load:
    """The clients of two projects, in the process of the service itself, and a worker that trains nothing."""

    def __init__(self, database: Database, asgi: httpx.WSGITransport) -> None:
        self._database, self._finished, self.log = database, threading.Event(), RequestLog()
        self.clients = [LoggingClient(URL, self.log, each, asgi) for each in keys_of_two_projects(URL, asgi)]
        one, other = self.clients
        self.book = OrderBook(1, (1.0, 1.0))
        self._lives, self.backlog = Lives(one, other, self.book, 10, self._finished), Backlog(other, self.book, 3)
        self.queues = ["cpu"]

    def runs(self, batches: int = 1) -> Verdict:
        """Lead batches and a job through their lives, and check what was told."""
        workers = [threading.Thread(target=self._work, args=(queue,)) for queue in self.queues]
        for each in workers:
            each.start()
        try:
            self.backlog.submit()
            for _ in range(batches):
                self._lives.of_a_batch()
            self._lives.of_a_job()
            self.backlog.end()
        finally:
            self._finished.set()
            for each in workers:
                each.join()
        rows = Rows.read(self._database)
        verdict = check_jobs(self.log, rows)
        check_requests(verdict, self.log, rows)
        check_verbs(verdict, self.log, rows, rows_left(self._database, self.log.told.deleted))
        return verdict

    def _work(self, queue: str) -> None:
        worker = worker_of(self._database, f"{queue}-0", queue)
        while not self._finished.wait(BETWEEN_CLAIMS_SECONDS):
            with self._database.begin() as connection:
                claim = lifecycle.claim(connection, worker, 60.0)
            for member in claim.members if claim else ():
                self._end(member)
            if claim and self._a_batch_is_to_be_cancelled():
                self._finished.wait(BEFORE_A_CANCEL_SECONDS)

    def _a_batch_is_to_be_cancelled(self) -> bool:
        batches = sum((asked.path, asked.status) == ("/v1/batches", 202) for asked in self.log.asked)
        return batches - 1 > len(self.log.told.cancelled_batches)  # one is the backlog

    def _end(self, member: ClaimedJob) -> None:
        losses, summary = np.ones(member.spec["steps"], np.float32), Summary(train_seconds=0.1, records=1)
        summary.take(losses, 0)
        with self._database.begin() as connection:
            if member.spec.get("name") == "raises":
                lifecycle.fail(connection, member.held, Reason.ERROR, "it raises", actor="worker")
            elif lifecycle.record(connection, Progress(member.held, 0, losses, summary, b"state", "hash", "made by")):
                outcome = Outcome({"a": 0.5}, "y = 0.5", {"engine": "eager"})
                lifecycle.succeed(connection, member.held, outcome, actor="worker")


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: what is looked for is in the checker, not in the database."""
    copy = tmp_path / "gradyard.db"
    copy.write_bytes(migrated_sqlite.read_bytes())
    return f"sqlite:///{copy}"


@pytest.fixture
def load(database: Database, app: Any, monkeypatch: pytest.MonkeyPatch) -> Load:  # noqa: F811
    """A load on a service in this process."""
    monkeypatch.setattr("tests.faults.client.WAIT_SECONDS", 10.0)
    return Load(database, httpx.WSGITransport(app=app))


def test_every_verb_keeps_what_its_answer_says(load: Load) -> None:
    verdict = load.runs(batches=2)  # the second one is deleted job by job
    assert verdict.violations == {}
    assert min(counted(load.log).values()) > 0, counted(load.log)
    assert verdict.accepted == verdict.terminal + verdict.deleted


def _deletes_nothing(connection: Any, project_id: int, job_id: Any) -> bool:
    connection.execute(insert(DeletedJob).values(id=job_id, project_id=project_id, deleted_at=now()))
    return True


def _of_any_project(connection: Any, project_id: int, job_id: Any) -> Any:
    owner = connection.execute(select(Job.project_id).where(Job.id == job_id)).scalar()
    return jobs.job_by_id(connection, owner or project_id, job_id)


def _cancels_nothing(connection: Any, batch_id: Any, *, actor: str, wait: bool = False) -> CancelledSlice:
    return CancelledSlice(0, more=False)


MUTANTS: dict[str, tuple[str, Callable[..., Any] | Any, str]] = {
    "a delete that leaves the rows": ("gradyard.store.lifecycle.delete_job", _deletes_nothing, "I11"),
    "a retry that replaces nothing": (
        "gradyard.store.lifecycle.batches._replace", update(Job).where(Job.id.is_(None)).values(name=None),
        "I12",
    ),
    "a cancel that cancels nothing": ("gradyard.store.lifecycle.cancel_some", _cancels_nothing, "I13"),
    "a project that shows its jobs to others": ("gradyard.store.queries.job_by_id", _of_any_project, "I14"),
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_build_is_found_out_that_has(mutant: str, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    target, broken, invariant = MUTANTS[mutant]
    monkeypatch.setattr(target, broken)
    assert invariant in load.runs().violations


def test_a_build_is_found_out_in_which_jobs_for_a_gpu_do_not_wait(load: Load) -> None:
    load.queues.append("gpu")
    assert "I15" in load.runs().violations
