"""Nothing waits for ever, in whatever order jobs and batches are submitted, end, and are retried or deleted."""

import os
from contextlib import suppress
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from gradyard.jobs.errors import IllegalMove, SpecInvalid
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.tables import IS_BLOCKED, IS_QUEUED, Job, Wait
from tests.store.dependencies.pipelines import after, batch_after, cancels, ended, ends, follow
from tests.store.one_job import forget_everything
from tests.store.test_batches_retried import retried

FUZZ = int(os.environ.get("FUZZ_EXAMPLES", "0"))  # `make fuzz`: other lives each time, and more of them
LIVES = settings(
    max_examples=FUZZ or 20, stateful_step_count=15, deadline=None, database=None, derandomize=not FUZZ,
    print_blob=True, suppress_health_check=list(HealthCheck),
)  # fmt: skip
PICK = st.integers(0, 99)
ENDS = st.sampled_from([State.SUCCEEDED, State.FAILED])


class Pipelines(RuleBasedStateMachine):
    """Jobs and batches that depend on each other; at the end each that may still run is ended."""

    database: ClassVar[Database]
    its_settings: ClassVar[Settings]

    def __init__(self) -> None:
        super().__init__()
        forget_everything(self.database)
        self.batches: list[UUID] = [batch_after(self.database, size=2).batch_id]
        self.singles: list[UUID] = [after(self.database, self.its_settings)]
        self.singles.append(after(self.database, self.its_settings, self.singles[0], ended(self.batches[0])))

    @rule(picks=st.lists(PICK, max_size=3), any_end=st.integers(0, 3), batch=st.booleans())
    def submit(self, picks: list[int], any_end: int, batch: bool) -> None:
        there = [*self.singles, *self.batches]
        named = [there[pick % len(there)] for pick in picks] if there else []
        asked = [ended(each) if any_end else {"id": str(each)} for each in dict.fromkeys(named)]
        try:
            if batch:
                self.batches.append(batch_after(self.database, depends_on=asked, size=2).batch_id)
            else:
                self.singles.append(after(self.database, self.its_settings, *asked))
        except SpecInvalid:
            assert asked

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
        while free := self.free():
            ends(self.database, *free)
            follow(self.database)
        assert self.ids(select(Job.id).where(IS_BLOCKED)) == []
        assert self.ids(select(Wait.id).where(Wait.state != "closed")) == []


@pytest.mark.slow
@pytest.mark.timeout(7200 if FUZZ else 300)
def test_nothing_waits_for_ever(database: Database, settings: Settings) -> None:
    machine = type("Pipelines", (Pipelines,), {"database": database, "its_settings": settings})
    run_state_machine_as_test(machine, settings=LIVES)
