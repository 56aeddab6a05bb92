"""A runner whose messages cannot be right: its jobs fail with the reason `error`, as often as they may be retried."""

import numpy as np
import pytest

from gradyard.jobs.settings import Settings
from gradyard.store import queries
from gradyard.store.database import Database
from tests.actors import submitted
from tests.workers.supervisor.scripted_runner import HELLO, Scripted, context_of
from workers.protocol.frame import FrameBroken
from workers.protocol.messages import (
    BegunMessage,
    FailedMessage,
    FallbackMessage,
    IdleMessage,
    Message,
    SegmentMessage,
)
from workers.supervisor.supervisor import Supervisor

SEGMENT = SegmentMessage([0], 0, np.ones((1, 1), np.float32), 0.0, 0.0)


def failed(member: int | None) -> FailedMessage:
    """A failure that names that member."""
    return FailedMessage("ValueError: no", 0, "", out_of_memory=False, device_error=False, member=member)


@pytest.fixture
def runner(settings: Settings) -> Scripted:
    return Scripted(settings)


FORGED: dict[str, Message | Exception] = {
    "bytes that are no message": FrameBroken("not a SegmentMessage"),
    "a hello": HELLO,
    "a second beginning": BegunMessage(),
    "that it is idle": IdleMessage(),
    "that its engine does not work": FallbackMessage("Traceback"),
    "losses of members that it does not have": SegmentMessage([5], 0, np.ones((1, 1), np.float32), 0.0, 0.0),
    "steps too many": SegmentMessage([0], 0, np.ones((1, 5), np.float32), 0.0, 0.0),
    "that it stopped": SegmentMessage([0], 0, np.ones((1, 1), np.float32), 0.0, 0.0, stopped=True, state={}),
    "that it is done, without a state": SegmentMessage([0], 0, np.ones((1, 4), np.float32), 0.0, 0.0, results=[]),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED.keys())
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what is sent is read before any database is asked
def test_a_job_whose_runner_says_what_cannot_be_right_fails_at_once_where_it_may_not_be_retried(
    database: Database, settings: Settings, runner: Scripted, forged: Message | Exception
) -> None:
    job = submitted(database, settings, max_retries=0)
    runner.says = [forged]
    assert Supervisor(context_of(database, settings, runner)).work() is False
    with database.read() as connection:
        row = queries.job_by_id(connection, 1, job)
    assert (row.state, row.reason, row.attempt, row.failures, row.crashes) == ("failed", "error", 1, 1, 0)
    assert "its runner sent a message that cannot be right" in row.message


def test_a_job_that_may_be_retried_is_tried_once_more_and_the_same_again_is_its_end(
    database: Database, settings: Settings, runner: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.supervisor.failure_policy._BACKOFF_SECONDS", 0.0)
    job = submitted(database, settings, max_retries=5)
    runner.says = [SEGMENT, IdleMessage()]
    Supervisor(context_of(database, settings, runner)).work()
    with database.read() as connection:
        row = queries.job_by_id(connection, 1, job)
    assert (row.state, row.reason, row.attempt) == ("failed", "error", 2)


@pytest.mark.parametrize("member", [-1, 4, 2**40])
def test_a_failure_that_names_a_member_which_the_pack_does_not_have_ends(
    database: Database, settings: Settings, runner: Scripted, member: int
) -> None:
    jobs = [submitted(database, settings, seed=seed, max_retries=0) for seed in range(4)]
    runner.says = [failed(member)]
    Supervisor(context_of(database, settings, runner)).work()
    with database.read() as connection:
        rows = [queries.job_by_id(connection, 1, job) for job in jobs]
    assert [(row.state, row.reason, row.failures) for row in rows] == [("failed", "error", 1)] * 4
    assert all(row.attempt <= 3 for row in rows)  # of four, of two, alone
