"""The load client leads pipelines to their ends, and the checker finds builds that break the order of their jobs."""

import threading
from typing import Any

import httpx
import pytest
from sqlalchemy import false, select

from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import ClaimedJob
from gradyard.store.lifecycle.dependencies.begin import Waits
from gradyard.store.queries.dependencies.targets import Target
from gradyard.store.tables import Job
from gradyard.store.upkeep.waits import end_waits
from tests.faults import lives, pipelines
from tests.faults.checker import Verdict, check_jobs, check_requests
from tests.faults.dependencies import check_dependencies
from tests.faults.fairness import check_fairness
from tests.faults.pipelines import Pipelines, counted
from tests.faults.rows import Rows
from tests.faults.test_verbs import Load, database_url  # noqa: F401
from tests.faults.verb_checks import check_verbs, rows_left
from tests.service.conftest import app, app_with  # noqa: F401

pytestmark = pytest.mark.slow

LOOK_SECONDS = 0.02


class Piped(Load):
    """The clients of two projects, a worker that trains nothing, and maintenance, in the process of the service."""

    def leads(self, projects: int = 1) -> Verdict:
        """Lead a pipeline in each of so many projects, and check what was told. `run`: a link was refused."""
        refused = list[str]()
        threads = [threading.Thread(target=self._work, args=("cpu",)), threading.Thread(target=self._maintain)]
        for each in threads:
            each.start()
        try:
            for own in self.clients[:projects]:
                Pipelines(own, self.book, 10, self._finished).lead()
        except RuntimeError as error:
            refused.append(str(error))
        finally:
            self._finished.set()
            for each in threads:
                each.join()
        rows = Rows.read(self._database)
        verdict = check_jobs(self.log, rows)
        check_requests(verdict, self.log, rows)
        check_verbs(verdict, self.log, rows, rows_left(self._database, self.log.told.deleted))
        check_fairness(verdict, rows)
        check_dependencies(verdict, self.log, rows, self._database)
        for words in refused:
            verdict.add("run", words)
        return verdict

    def _maintain(self) -> None:
        while not self._finished.wait(LOOK_SECONDS):
            end_waits(self._database, 60.0, actor="maintenance")

    def _a_batch_is_to_be_cancelled(self) -> bool:
        return False

    def _end(self, member: ClaimedJob) -> None:
        if member.spec.get("name") != "victim":
            super()._end(member)
            return
        while not self._is_marked(member) and not self._finished.wait(LOOK_SECONDS):
            pass
        with self._database.begin() as connection:
            lifecycle.cancel_by_worker(connection, member.held, actor="worker")

    def _is_marked(self, member: ClaimedJob) -> bool:
        with self._database.read() as connection:
            return connection.execute(select(Job.cancel_requested_at).where(Job.id == member.id)).scalar() is not None


@pytest.fixture
def load(database: Database, app: Any, monkeypatch: pytest.MonkeyPatch) -> Piped:  # noqa: F811
    """A load on a service in this process."""
    monkeypatch.setattr("tests.faults.client.WAIT_SECONDS", 10.0)
    return Piped(database, httpx.WSGITransport(app=app))


def test_every_link_keeps_the_order_that_it_asked_for(load: Piped) -> None:
    verdict = load.leads(projects=2)
    assert verdict.violations == {}
    assert counted(load.log) == {"ran after others": 18, "failed with others": 10}
    assert verdict.deleted == 2
    assert verdict.accepted == verdict.terminal + verdict.deleted


def _met_by_any_end(target: Target, condition: str) -> bool | None:
    return True if target.has_ended else None


def _met_by_success_alone(target: Target, condition: str) -> bool | None:
    return None if not target.has_ended else not target.bad


MUTANTS: dict[str, tuple[Any, str, Any]] = {
    "no look at the condition": (Target, "met", _met_by_any_end),
    "a condition for all": (Target, "met", _met_by_success_alone),
    "no wait": (Waits, "has_to_wait", lambda self, job_id: False),
    "no failure with others": ("gradyard.store.lifecycle.dependencies.release._fail", "", lambda *_: None),
    "deletions of what others wait for": ("gradyard.store.lifecycle.delete.is_needed", "", false),
    "no look for ends": ("tests.faults.test_pipelines.end_waits", "", lambda *_, **__: {}),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_build_is_found_out_that_has(mutant: str, load: Piped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lives, "WAIT_SECONDS", 2.0)
    monkeypatch.setattr(pipelines, "BEGINS_SECONDS", 1.0)
    monkeypatch.setattr(pipelines, "HEARD_SECONDS", 1.0)
    where, name, broken = MUTANTS[mutant]
    monkeypatch.setattr(where, name, broken) if name else monkeypatch.setattr(where, broken)
    assert "I15" in load.leads().violations
