"""Jobs run, fail or wait as those end that they asked for, in whatever order these end, are retried or deleted."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from gradyard.jobs.errors import IllegalMove, SpecInvalid
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import FINISHED, State
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.tables import IS_BLOCKED, IS_QUEUED, Job, Wait
from gradyard.store.upkeep.waits import end_forgotten_waits
from tests.fuzzing import FUZZ
from tests.store.dependencies.pipelines import after, batch_after, cancels, ended, ends, follow, members_of
from tests.store.one_job import forget_everything
from tests.store.test_batches_retried import retried

LIVES = settings(max_examples=FUZZ or 20, stateful_step_count=15, suppress_health_check=list(HealthCheck))
PICK = st.integers(0, 99)
Asked = tuple[UUID, str]
LOOKED_AT = select(Job.id, Job.state, Job.queue, Job.reason, Job.batch_id, Job.replaced_by)
ENDS = st.sampled_from([State.SUCCEEDED, State.FAILED])


class Pipelines(RuleBasedStateMachine):
    """Jobs and batches that depend on each other; at the end each that may still run is ended."""

    database: ClassVar[Database]
    its_settings: ClassVar[Settings]

    def __init__(self) -> None:
        super().__init__()
        forget_everything(self.database)
        self.batches: list[UUID] = []
        self.singles: list[UUID] = []
        self.asked: dict[UUID, list[Asked]] = {}  # by job, of those that were not seen to run, fail or be cancelled yet
        self.submit([], any_end=False, batch=True)
        self.submit([], any_end=False, batch=False)
        self.submit([0, 1], any_end=False, batch=False)

    @rule(picks=st.lists(PICK, max_size=3), any_end=st.booleans(), batch=st.booleans())
    def submit(self, picks: list[int], any_end: bool, batch: bool) -> None:
        there = [*self.singles, *self.batches]
        named = [there[pick % len(there)] for pick in picks] if there else []
        asked = [ended(each) if any_end else {"id": str(each)} for each in dict.fromkeys(named)]
        try:
            if batch:
                stored = batch_after(self.database, depends_on=asked, size=2)
                self.batches.append(stored.batch_id)
                jobs = members_of(self.database, stored)
            else:
                jobs = [after(self.database, self.its_settings, *asked)]
                self.singles += jobs
        except SpecInvalid:
            assert False in _met(
                self.rows(), ((UUID(each["id"]), each.get("condition", "succeeded")) for each in asked)
            )
            return
        for job in jobs:
            self.asked[job] = [(UUID(each["id"]), each.get("condition", "succeeded")) for each in asked]

    @precondition(lambda self: self.free())
    @rule(pick=PICK, state=ENDS, look=st.booleans())
    def end(self, pick: int, state: State, look: bool) -> None:
        """A single job, or all of a batch that may run."""
        free = self.free()
        one = free[pick % len(free)]
        of_batch = select(Job.batch_id).where(Job.id == one).scalar_subquery()
        others = self.ids(select(Job.id).where(Job.batch_id == of_batch, Job.id.in_(free)))
        ends(self.database, *{one, *others}, state=state)
        if look:
            follow(self.database)
            rows = self.rows()
            for job, asked in self.asked.items():
                if job in rows and _is_blocked(rows[job]):
                    met = _met(rows, asked)
                    assert None in met, (job, met)
                    assert False not in met, (job, met)

    @invariant()
    def no_job_runs_or_fails_before_its_time(self) -> None:
        """Looked at once for each job, as soon as it is not blocked: later a retry may open a batch again."""
        rows = self.rows()
        for job, asked in list(self.asked.items()):
            row = rows.get(job)
            if row is not None and _is_blocked(row):
                continue
            if row is not None and row.reason == "upstream_failed":
                assert False in _met(rows, asked), job
            elif row is not None and row.state != State.CANCELLED:
                assert set(_met(rows, asked)) <= {True}, (job, _met(rows, asked))
            del self.asked[job]

    def rows(self) -> dict[UUID, Any]:
        with self.database.read() as connection:
            return {row.id: row for row in connection.execute(LOOKED_AT)}

    @precondition(lambda self: self.singles)
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        with suppress(IllegalMove):
            cancels(self.database, self.singles[pick % len(self.singles)])

    @precondition(lambda self: self.batches)
    @rule(pick=PICK)
    def retry(self, pick: int) -> None:
        with suppress(IllegalMove):
            retried(self.database, self.its_settings, self.batches[pick % len(self.batches)])

    @rule(pick=PICK)
    def delete(self, pick: int) -> None:
        there = [*self.singles, *self.batches]
        if not there:
            return
        this = there[pick % len(there)]
        try:
            with self.database.begin() as connection:
                if this in self.singles:
                    lifecycle.delete_job(connection, 1, this)
                else:
                    lifecycle.delete_batch_slice(connection, 1, this)
        except IllegalMove:
            return
        (self.singles if this in self.singles else self.batches).remove(this)

    def free(self) -> list[UUID]:
        """The jobs that a worker could claim."""
        return self.ids(select(Job.id).where(IS_QUEUED, Job.queue != "blocked").order_by(Job.id))

    def ids(self, query: Any) -> list[UUID]:
        with self.database.read() as connection:
            return list(connection.execute(query).scalars())

    def teardown(self) -> None:
        follow(self.database)
        self.no_job_runs_or_fails_before_its_time()
        while free := self.free():
            ends(self.database, *free)
            follow(self.database)
        assert self.ids(select(Job.id).where(IS_BLOCKED)) == []
        end_forgotten_waits(self.database)  # a batch may be deleted, for which a cancelled job alone has waited
        follow(self.database)
        assert self.ids(select(Wait.id).where(Wait.state != "closed")) == []


def _met(rows: dict[UUID, Any], asked: Iterable[Asked]) -> list[bool | None]:
    """Of each of these, whether it has ended as asked; None where it has not ended."""
    return [_has_ended_as(rows, condition, on) for on, condition in asked]


def _has_ended_as(rows: dict[UUID, Any], condition: str, on: UUID) -> bool | None:
    of_batch = (row for row in rows.values() if row.batch_id == on and row.replaced_by is None)
    states = {row.state for row in (*of_batch, *([rows[on]] if on in rows else []))}
    if not states <= FINISHED:
        return None
    return condition == "ended" or states <= {State.SUCCEEDED}


def _is_blocked(row: Any) -> bool:
    return bool(row.state == State.QUEUED and row.queue == "blocked")


@pytest.mark.slow
@pytest.mark.timeout(7200 if FUZZ else 300)
def test_each_job_of_a_random_pipeline_runs_or_fails_in_its_time(database: Database, settings: Settings) -> None:
    machine = type("Pipelines", (Pipelines,), {"database": database, "its_settings": settings})
    run_state_machine_as_test(machine, settings=LIVES)
