"""Fair shares: which job a worker claims next."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

import orjson
import pytest
from sqlalchemy import insert, select, update

from gradyard.jobs.settings import Settings
from gradyard.jobs.submission.batches import ParsedBatch
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from gradyard.store.tables import Job, Project
from tests.actors import claimed, fails, worker_of

OTHER = 2


@pytest.fixture
def worker(database: Database) -> WorkerInfo:
    """A worker that takes one job at a time; there is a second project."""
    with database.begin() as connection:
        connection.execute(insert(Project).values(id=OTHER, name="other"))
    return replace(worker_of(database), most_members=1)


def one(database: Database, settings: Settings, project: int = 1, **spec: object) -> UUID:
    parsed = parse_job(orjson.dumps({"stage": "tensor", "steps": 1000} | spec), settings)
    with database.begin() as connection:
        return lifecycle.submit(connection, parsed, project_id=project, actor="test", max_queued=1000).job_id


def batch(
    database: Database, settings: Settings, size: int, project: int = 1, precedence: int = 0, **spec: object
) -> UUID:
    body = {"stage": "tensor", "steps": 1000} | spec
    jobs = [parse_job(orjson.dumps(body | {"seed": seed}), settings) for seed in range(size)]
    with database.begin() as connection:
        return lifecycle.submit_batch(
            connection, ParsedBatch(jobs), project_id=project, actor="test", max_queued=1000, precedence=precedence
        ).batch_id


def served(database: Database, worker: WorkerInfo, count: int) -> list[UUID]:
    """The ids of the next jobs that the worker takes, one after another; a batch's job by its batch."""
    taken = []
    for _ in range(count):
        claim = claimed(database, worker)
        taken.append(claim.members[0].id)
        fails(database, claim)
    with database.read() as connection:
        batches = {row.id: row.batch_id for row in connection.execute(select(Job.id, Job.batch_id))}
    return [batches[job] or job for job in taken]


def test_a_batch_that_comes_late_takes_turns_with_the_first(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    first = batch(database, settings, 60)
    served(database, worker, 20)
    late = batch(database, settings, 60, project=OTHER)
    assert Counter(served(database, worker, 20)) == {first: 10, late: 10}
    later = batch(database, settings, 60, project=OTHER)
    shares = Counter(served(database, worker, 25))
    assert shares[first] == pytest.approx(10, abs=1), "one batch beside two of another project: 1 to 1 + 1/2"
    assert shares[late] + shares[later] == pytest.approx(15, abs=1)


def test_a_single_job_waits_for_no_backlog_of_others(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    batch(database, settings, 100)
    served(database, worker, 5)
    mine = [one(database, settings, project=OTHER) for _ in range(3)]
    assert [mine.index(job) for job in served(database, worker, 8) if job in mine] == [0, 1, 2]


def test_singles_of_one_project_are_one_flow_also_when_each_comes_after_the_last_was_done(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    whole = batch(database, settings, 100)
    taken = []
    for _ in range(10):
        one(database, settings, project=OTHER)
        taken += served(database, worker, 2)
    assert Counter(taken)[whole] == pytest.approx(10, abs=1)


def test_turns_are_by_the_seconds_that_jobs_train_and_not_by_their_number(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    long = batch(database, settings, 50, steps=4000)
    short = batch(database, settings, 50, project=OTHER)
    assert Counter(served(database, worker, 25)) == {long: 5, short: 20}


def test_who_was_idle_gets_no_credit_for_it(database: Database, settings: Settings, worker: WorkerInfo) -> None:
    early = one(database, settings, project=OTHER)
    first = batch(database, settings, 60)
    assert served(database, worker, 41).count(early) == 1
    late = batch(database, settings, 60, project=OTHER)
    assert Counter(served(database, worker, 10)) == {first: 5, late: 5}


def test_a_job_that_no_worker_can_take_does_not_stop_virtual_time(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    one(database, settings, pool="absent")
    first = batch(database, settings, 60)
    served(database, worker, 30)
    late = batch(database, settings, 60, project=OTHER)
    assert Counter(served(database, worker, 10)) == {first: 5, late: 5}


def test_jobs_of_an_older_version_keep_their_turn(database: Database, settings: Settings, worker: WorkerInfo) -> None:
    older = [one(database, settings) for _ in range(3)]
    with database.begin() as connection:
        connection.execute(update(Job).values(share_seconds=None, rank=Job.submitted_at))
    newer = one(database, settings)
    assert served(database, worker, 4) == [*older, newer]


def cancel(database: Database, *jobs: UUID) -> None:
    with database.begin() as connection:
        for job in jobs:
            lifecycle.request_cancel(connection, job, actor="test")


def test_single_jobs_that_were_cancelled_give_their_share_back(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    batch(database, settings, 60)
    served(database, worker, 5)
    cancel(database, *(one(database, settings, project=OTHER) for _ in range(40)))
    mine = one(database, settings, project=OTHER)
    assert mine in served(database, worker, 2)


def test_single_jobs_for_another_kind_of_device_push_no_job_back(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    batch(database, settings, 60)
    served(database, worker, 5)
    for _ in range(40):
        one(database, settings, project=OTHER, device="gpu")
    mine = one(database, settings, project=OTHER)
    assert mine in served(database, worker, 2)


def test_a_line_of_single_jobs_goes_on_behind_any_number_of_jobs_of_other_priorities(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    whole = batch(database, settings, 200)
    for _ in range(20):
        one(database, settings, project=OTHER)
    for _ in range(70):
        one(database, settings, project=OTHER, steps=1, priority=-100)
    late = one(database, settings, project=OTHER)
    taken = served(database, worker, 30)
    assert late not in taken
    assert Counter(taken)[whole] >= 13


def test_a_job_of_a_project_that_trains_counts_as_one_that_waits(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    whole = batch(database, settings, 60)
    served(database, worker, 5)
    long = one(database, settings, project=OTHER, steps=10_000)
    claims = [claimed(database, worker) for _ in range(2)]
    assert long in {claim.members[0].id for claim in claims}
    mine = one(database, settings, project=OTHER)
    assert served(database, worker, 7) == [whole] * 7, "the long one is worth ten of them"
    assert mine in served(database, worker, 4)
