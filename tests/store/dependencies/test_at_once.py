"""What two transactions do at the same time: no wait is forgotten, and nothing that is waited for is deleted."""

from uuid import UUID

import orjson
from sqlalchemy import Connection, delete, func, select, update

from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.dependencies import WaitState
from gradyard.jobs.states import State
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from gradyard.store.lifecycle import Claim, Outcome
from gradyard.store.tables import Job, Wait, WaitsFor
from tests.actors import claimed, progress_of, submitted, succeeds, worker_of
from tests.store.dependencies.pipelines import after, ends, follow, row_of, states_of
from tests.store.interleaving import Act, Stage, interrupted_anywhere, interrupted_once, played
from tests.store.one_job import DAY, forget_everything


def one_after_the_other(database: Database, settings: Settings) -> tuple[WorkerInfo, Claim, UUID]:
    """A worker, its claim of one job, and the id of that job."""
    forget_everything(database)
    worker = worker_of(database, lease=DAY)
    first = submitted(database, settings)
    return worker, claimed(database, worker, lease=DAY), first


def submits_after(settings: Settings, first: UUID) -> Act:
    body = orjson.dumps({"stage": "tensor", "steps": 4, "depends_on": [{"id": str(first), "condition": "ended"}]})
    parsed = parse_job(body, settings)
    return lambda connection: lifecycle.submit(connection, parsed, project_id=1, actor="test", max_queued=9).job_id


def finishes(claim: Claim) -> Act:
    def act(connection: Connection) -> None:
        for member in claim.members:
            lifecycle.record(connection, progress_of(member, [4.0, 3.0, 2.0, 1.0]))
            lifecycle.succeed(connection, member.held, Outcome({"a": 1.0}, None, {}), actor="worker")
        lifecycle.release(connection, claim.id, actor="worker")

    return act


def looks(connection: Connection) -> None:
    """What is done after an end: decide, in this transaction alone."""
    lifecycle.decide_some(connection)


def ended_before_the_lock(a: int, b: int) -> list[str]:
    """Schedules in which a submission has looked, then the job ends (before the second statement of `b`), which looks
    at any time after it. The submission locks the job by its third statement."""
    return ["a" * seen + "b" + "a" * more + "b" * b + "a" * a for seen in (1, 2) for more in range(a - seen + 1)]


def test_a_dependency_that_ends_while_a_job_is_submitted_is_never_waited_for_in_vain(
    stage: Stage, settings_of_stage: Settings
) -> None:
    _, claim, first = one_after_the_other(stage.database, settings_of_stage)
    acts = submits_after(settings_of_stage, first), finishes(claim)
    for schedule, job, _ in played(stage, *acts, interrupted_once):
        follow(stage.database)
        assert row_of(stage.database, job).queue == "cpu", f"{schedule}: it waits for {first}"


def test_a_mark_that_another_submission_needs_is_not_taken_back(stage: Stage, settings_of_stage: Settings) -> None:
    """An earlier follower is told of the end while a later one, which saw the job run, is being stored."""
    _, claim, first = one_after_the_other(stage.database, settings_of_stage)
    earlier = after(stage.database, settings_of_stage, first)

    def ends_then_looks(connection: Connection) -> None:
        connection.execute(select(func.now()))  # its transaction begins here
        succeeds(stage.database, claim)
        looks(connection)

    acts = submits_after(settings_of_stage, first), ends_then_looks
    for schedule, job, _ in played(stage, *acts, ended_before_the_lock):
        follow(stage.database)
        assert [row_of(stage.database, each).queue for each in (job, earlier)] == ["cpu", "cpu"], schedule


def test_two_dependencies_that_end_at_once_release_the_job(stage: Stage, settings_of_stage: Settings) -> None:
    forget_everything(stage.database)
    two = [submitted(stage.database, settings_of_stage, steps=steps) for steps in (4, 5)]
    job = after(stage.database, settings_of_stage, *two)

    def end(job_id: UUID) -> Act:
        def act(connection: Connection) -> None:
            done = {"state": State.SUCCEEDED, "finished_at": 1.0}
            connection.execute(update(Job).where(Job.id == job_id).values(done))

        return act

    for schedule, *_ in played(stage, end(two[0]), end(two[1]), interrupted_anywhere):
        stage.play(looks, looks, "abababab")
        follow(stage.database)
        assert row_of(stage.database, job).queue == "cpu", schedule


def test_a_count_of_what_is_left_would_be_lost(stage: Stage, settings_of_stage: Settings) -> None:
    """The naive form: each end takes its own edge away and releases the job where it sees no other."""
    forget_everything(stage.database)
    two = [submitted(stage.database, settings_of_stage, steps=steps) for steps in (4, 5)]
    job = after(stage.database, settings_of_stage, *two)

    def naive(on: UUID) -> Act:
        def act(connection: Connection) -> None:
            connection.execute(delete(WaitsFor).where(WaitsFor.on_id == on))
            wait = select(Job.wait_id).where(Job.id == job).scalar_subquery()
            left = select(func.count()).select_from(WaitsFor).where(WaitsFor.wait_id == wait)
            if connection.execute(left).scalar_one() == 0:
                connection.execute(update(Wait).where(Wait.id == wait).values(state=WaitState.MET))

        return act

    lost = 0
    for _ in played(stage, naive(two[0]), naive(two[1]), interrupted_anywhere):
        with stage.database.read() as connection:
            lost += connection.execute(select(Wait.state)).scalar_one() == WaitState.WAITING
    assert lost


def test_a_job_is_not_deleted_while_one_that_waits_for_it_is_submitted(
    stage: Stage, settings_of_stage: Settings
) -> None:
    _, _, first = one_after_the_other(stage.database, settings_of_stage)

    def end_and_delete(connection: Connection) -> bool:
        connection.execute(select(func.now()))  # its transaction begins here
        ends(stage.database, first)  # committed by another connection before this one looks
        return lifecycle.delete_job(connection, 1, first)

    acts = submits_after(settings_of_stage, first), end_and_delete
    for schedule, job, deleted in played(stage, *acts, ended_before_the_lock):
        follow(stage.database)
        if job == "SpecInvalid":
            assert deleted is True, schedule
        else:
            assert states_of(stage.database, job) == ["queued"], schedule
            assert row_of(stage.database, job).queue == "cpu", schedule
