"""Every order in which two attempts at one job, and a client who cancels it, can run their transactions."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, select

from gradyard.jobs.errors import IllegalMove
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import FINISHED, MOVES, State
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import ClaimedJob, Outcome
from gradyard.store.tables import Job, JobEvent, LossChunk, Result
from tests.actors import expires, progress_of
from tests.store.interleaving import merges
from tests.store.kept_rows import KeptRows
from tests.store.one_job import STEPS, OneJob, running_job

Does = Callable[[Connection], Any]


class Attempt:
    """A worker's view of its attempt: the losses that it records are the attempt's number."""

    def __init__(self, member: ClaimedJob, start_step: int) -> None:
        self.member, self.at = member, start_step
        self.fence = member.held

    def record(self, connection: Connection, steps: int = 1) -> None:
        losses = [float(self.member.attempt)] * min(steps, STEPS - self.at)
        lifecycle.record(connection, progress_of(self.member, losses, self.at))
        self.at += len(losses)

    def succeed(self, connection: Connection) -> None:
        self.record(connection, STEPS)
        lifecycle.succeed(connection, self.fence, Outcome({"a": 1.0}, None, {}), actor="worker")

    def hand_back(self, connection: Connection) -> None:
        lifecycle.hand_back(connection, self.fence, actor="worker", detail="stops")

    def let_go(self, connection: Connection) -> None:
        lifecycle.cancel_by_worker(connection, self.fence, actor="worker")


class Story:
    """A job that one worker holds whose lease is over, another worker, maintenance, and a client who cancels."""

    def __init__(self, one: OneJob, ending: str) -> None:
        self.database = one.database
        self.first, self._other = Attempt(one.member, 0), one.other
        self.second: Attempt | None = None
        self.turns: dict[str, Iterator[Does]] = {
            "z": iter([self.first.record, getattr(self.first, ending)]),
            "n": iter([self._expire, self._claim, self._second_records, self._second_succeeds]),
            "c": iter([self._cancel, self._cancel_over_its_head]),
        }
        self._job = one.member.id

    def go(self, who: str) -> None:
        """His next transaction."""
        does = next(self.turns[who])
        with suppress(IllegalMove), self.database.begin() as connection:
            does(connection)

    def end(self) -> None:
        """Whatever still waits is trained, by the second worker."""
        for _ in range(3):
            for does in (self._expire, self._claim, self._second_succeeds):
                with self.database.begin() as connection:
                    does(connection)

    def _expire(self, connection: Connection) -> None:
        expires(connection)

    def _claim(self, connection: Connection) -> None:
        if claim := lifecycle.claim(connection, self._other, 15.0):
            self.second = Attempt(claim.members[0], claim.start_step)

    def _second_records(self, connection: Connection) -> None:
        if self.second is not None:
            self.second.record(connection)

    def _second_succeeds(self, connection: Connection) -> None:
        if self.second is not None:
            self.second.succeed(connection)

    def _cancel(self, connection: Connection) -> None:
        lifecycle.request_cancel(connection, self._job, actor="client")

    def _cancel_over_its_head(self, connection: Connection) -> None:
        lifecycle.move_silent(connection, self._job, actor="client")


@pytest.mark.parametrize("ending", ["succeed", "hand_back", "let_go"])
def test_two_attempts_in_any_order(database: Database, settings: Settings, ending: str) -> None:
    _play_each(running_job(database, settings), ending, merges("zz", "nnnn"))


def test_two_attempts_and_a_cancel_in_any_order(database: Database, settings: Settings) -> None:
    _play_each(running_job(database, settings), "succeed", merges("zz", "nnn", "cc"))


def _play_each(one: OneJob, ending: str, orders: list[str]) -> None:
    kept = KeptRows(one.database)
    for order in orders:
        kept.put_back()
        _play(one, ending, order)


def _play(one: OneJob, ending: str, order: str) -> None:
    story = Story(one, ending)
    for who in order:
        story.go(who)
    story.end()
    with one.database.read() as connection:
        job = connection.execute(select(Job)).one()
        events = connection.execute(select(JobEvent).order_by(JobEvent.sequence)).all()
        chunks = connection.execute(select(LossChunk).order_by(LossChunk.start_step)).all()
        results = connection.execute(select(Result.attempt)).scalars().all()
    assert job.state in FINISHED, order
    assert list(results) == ([job.attempt] if job.state == State.SUCCEEDED else []), order
    _assert_lawful(events, order)
    _assert_no_late_write(events, chunks, job, order)


def _assert_lawful(events: Sequence[Any], order: str) -> None:
    for before, event in zip([None, *events], events, strict=False):
        assert event.from_state == (before.to_state if before else None), order
        assert before is None or before.to_state in MOVES[State(event.to_state)], order
        assert event.attempt == (before.attempt if before else 0) + (event.to_state == State.RUNNING), order
    assert sum(event.to_state in FINISHED for event in events) == 1, order


def _assert_no_late_write(events: Sequence[Any], chunks: Sequence[Any], job: Any, order: str) -> None:
    """Each step was written by the attempt that held the job then: later attempts begin where they were told."""
    found = [float(loss) for chunk in chunks for loss in np.frombuffer(chunk.losses, dtype="<f4")]
    begins = {event.attempt: int((event.detail or "goes on from step 0").split()[-1])
              for event in events if event.to_state == State.RUNNING}  # fmt: skip
    lawful = [float(max(attempt for attempt, begin in begins.items() if begin <= step)) for step in range(len(found))]
    assert found == lawful, order
    assert job.state != State.SUCCEEDED or len(found) == STEPS, order
