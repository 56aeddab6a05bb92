"""A failure counts against a job that was alone or was named; the others of a pack are handed back."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import Connection

from gradyard.jobs.events import EventKind
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.lifecycle import Claim
from tests.actors import claimed, progress_of, submitted, worker_of
from workers.protocol.messages import FailedMessage
from workers.supervisor import failure_policy
from workers.supervisor.pack import Pack


def _claim(database: Database, settings: Settings, width: int) -> tuple[list[UUID], Claim]:
    jobs = [submitted(database, settings, seed=seed) for seed in range(width)]
    return jobs, claimed(database, worker_of(database))


def _rows(database: Database, jobs: list[UUID]) -> list[tuple[str, str | None, int | None]]:
    with database.read() as connection:
        rows = [queries.job_by_id(connection, 1, job) for job in jobs]
    return [(row.state, row.reason, row.max_pack) for row in rows]


def _kinds(database: Database, jobs: list[UUID]) -> list[str]:
    """The kind of each job's last event."""
    with database.read() as connection:
        return [queries.events_of(connection, 1, job)[0][-1].kind for job in jobs]


def _failed(member: int | None, *, out_of_memory: bool = False) -> FailedMessage:
    return FailedMessage(
        message="ValueError: no", step=7, traceback="", out_of_memory=out_of_memory, device_error=False, member=member
    )


@pytest.mark.parametrize("out_of_memory", [False, True])
def test_a_failure_that_names_no_member_halves_the_pack(
    database: Database, settings: Settings, out_of_memory: bool
) -> None:
    jobs, claim = _claim(database, settings, 4)
    with database.begin() as connection:
        failure_policy.pack_failed(connection, Pack(claim), _failed(None, out_of_memory=out_of_memory), actor="w")
    assert _rows(database, jobs) == [("queued", None, 2)] * 4


def test_a_failure_that_names_a_member_counts_against_that_one_alone(database: Database, settings: Settings) -> None:
    jobs, claim = _claim(database, settings, 3)
    with database.begin() as connection:
        failure_policy.pack_failed(connection, Pack(claim), _failed(1), actor="w")
    with database.read() as connection:
        failures = [queries.job_by_id(connection, 1, job).failures for job in jobs]
    assert failures == [0, 1, 0]
    assert _rows(database, jobs) == [("queued", None, None)] * 3


def test_out_of_memory_alone_fails_at_once(database: Database, settings: Settings) -> None:
    jobs, claim = _claim(database, settings, 1)
    with database.begin() as connection:
        failure_policy.pack_failed(connection, Pack(claim), _failed(None, out_of_memory=True), actor="w")
    assert _rows(database, jobs) == [("failed", "out_of_memory", None)]


def test_the_same_error_at_the_same_step_is_not_tried_a_third_time(database: Database, settings: Settings) -> None:
    jobs, claim = _claim(database, settings, 1)
    worker = worker_of(database, "cpu-1")
    with database.begin() as connection:
        failure_policy.pack_failed(connection, Pack(claim), _failed(None), actor="w")
        connection.exec_driver_sql("UPDATE jobs SET not_before = NULL")
    again = claimed(database, worker)
    with database.begin() as connection:
        failure_policy.pack_failed(connection, Pack(again), _failed(None), actor="w")
    assert _rows(database, jobs) == [("failed", "error", None)]


def test_crashes_before_a_newer_checkpoint_do_not_count(database: Database, settings: Settings) -> None:
    jobs, claim = _claim(database, settings, 1)
    worker = worker_of(database, "cpu-1")
    for _ in range(failure_policy.CRASHES_ALONE + 1):
        with database.begin() as connection:
            failure_policy.pack_crashed(connection, Pack(claim), "the runner died of SIGKILL", actor="w")
        claim = claimed(database, worker)
        with database.begin() as connection:
            assert lifecycle.record(connection, progress_of(claim.members[0], [1.0], claim.start_step))
    assert _rows(database, jobs) == [("running", None, None)]


def test_a_runner_that_dies_with_a_pack_halves_the_pack(database: Database, settings: Settings) -> None:
    jobs, claim = _claim(database, settings, 5)
    with database.begin() as connection:
        failure_policy.pack_crashed(connection, Pack(claim), "the runner died of SIGKILL", actor="w")
    assert _rows(database, jobs) == [("queued", None, 2)] * 5


def test_a_job_that_kills_its_runner_three_times_alone_is_poison(database: Database, settings: Settings) -> None:
    jobs, claim = _claim(database, settings, 1)
    worker = worker_of(database, "cpu-1")
    for attempt in range(3):
        with database.begin() as connection:
            failure_policy.pack_crashed(connection, Pack(claim), "the runner died of SIGSEGV", actor="w")
        if attempt < 2:
            claim = claimed(database, worker)
    assert _rows(database, jobs) == [("failed", "poison", None)]


def test_a_runner_that_cannot_be_started_counts_against_no_job(database: Database, settings: Settings) -> None:
    jobs, claim = _claim(database, settings, 1)
    with database.begin() as connection:
        failure_policy.runner_not_started(connection, Pack(claim), "no torch", actor="w")
    with database.read() as connection:
        row = queries.job_by_id(connection, 1, jobs[0])
    assert (row.state, row.crashes, row.losses, row.failures) == ("queued", 0, 0, 0)
    assert row.not_before > row.submitted_at


def test_a_job_whose_time_is_over_in_a_pack_is_tried_alone(database: Database, settings: Settings) -> None:
    jobs, claim = _claim(database, settings, 2)
    pack = Pack(claim)
    with database.begin() as connection:
        failure_policy.timed_out(connection, pack, pack.members[0], actor="w")
    assert _rows(database, jobs) == [("queued", None, 1), ("running", None, None)]


def test_every_hand_back_has_the_kind_of_its_cause(database: Database, settings: Settings) -> None:
    worker = worker_of(database)

    def kinds_of(policy: Callable[[Connection, Pack], None], width: int) -> list[str]:
        jobs = [submitted(database, settings, steps=5 + len(seen), seed=seed) for seed in range(width)]
        pack = Pack(claimed(database, worker))
        with database.begin() as connection:
            policy(connection, pack)
            connection.exec_driver_sql("UPDATE jobs SET not_before = 1e12")
        seen.append(jobs)
        return _kinds(database, jobs)

    seen: list[list[UUID]] = []
    named, unnamed = _failed(0), _failed(None)
    assert kinds_of(lambda c, p: failure_policy.pack_failed(c, p, named, actor="w"), 2) == [
        EventKind.WILL_RETRY, EventKind.PACK_FAILED,
    ]  # fmt: skip
    assert kinds_of(lambda c, p: failure_policy.pack_failed(c, p, unnamed, actor="w"), 2) == [EventKind.PACK_FAILED] * 2
    assert kinds_of(lambda c, p: failure_policy.pack_crashed(c, p, "died", actor="w"), 2) == [EventKind.RUNNER_DIED] * 2
    assert kinds_of(lambda c, p: failure_policy.pack_crashed(c, p, "died", actor="w"), 1) == [EventKind.RUNNER_DIED]
    assert kinds_of(lambda c, p: failure_policy.engine_unusable(c, p, actor="w"), 1) == [EventKind.ENGINE_UNUSABLE]
    assert kinds_of(lambda c, p: failure_policy.runner_not_started(c, p, "no", actor="w"), 1) == [
        EventKind.RUNNER_NOT_STARTED
    ]
    assert kinds_of(lambda c, p: failure_policy.timed_out(c, p, p.members[0], actor="w"), 2)[0] == (
        EventKind.PACK_TIMED_OUT
    )
    assert kinds_of(lambda c, p: failure_policy.device_failed(c, p, "lost", worker), 1) == [EventKind.DEVICE_FAILED]


@pytest.mark.parametrize("step", [0, 3])
def test_a_loss_that_is_not_finite_before_any_update_is_not_blamed_on_the_learning_rate(
    database: Database, settings: Settings, step: int
) -> None:
    job = submitted(database, settings, stage="nn", learning_rate=1e-3)  # over the limit, and warned of
    claim = claimed(database, worker_of(database))
    with database.begin() as connection:
        failure_policy.diverged(connection, Pack(claim).members[0], step, actor="w")
        message = str(queries.job_by_id(connection, 1, job).message)
    assert message.startswith(f"the loss of step {step} is not finite; ")
    assert ("the data or the initial weights are too large for its dtype" in message) == (step == 0)
    assert ("gradient descent on these data diverges" in message) == (step > 0)


def test_of_a_job_that_was_cancelled_and_deleted_meanwhile_no_failure_is_told(
    database: Database, settings: Settings
) -> None:
    jobs, claim = _claim(database, settings, 1)
    pack = Pack(claim)
    with database.begin() as connection:
        lifecycle.fail(connection, claim.members[0].held, Reason.ERROR, "no", actor="w")
        assert lifecycle.delete_job(connection, 1, jobs[0])
    with database.begin() as connection:
        failure_policy.pack_crashed(connection, pack, "the runner died of SIGKILL", actor="w")
        failure_policy.diverged(connection, pack.members[0], 3, actor="w")
        failure_policy.timed_out(connection, pack, pack.members[0], actor="w")
        failure_policy.pack_failed(connection, pack, _failed(0), actor="w")
        assert queries.state_of(connection, 1, jobs[0]) is None
