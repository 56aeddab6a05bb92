"""A job waits until all that it depends on has ended as asked, and fails with it."""

from uuid import UUID

import pytest

from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from tests.actors import claimed, fails, submitted, succeeds, worker_of
from tests.store.dependencies.pipelines import (
    after,
    batch_after,
    cancels,
    claims,
    ended,
    ends,
    follow,
    kinds_of,
    members_of,
    row_of,
    states_of,
)
from tests.store.test_batches import stored
from tests.store.test_summaries import assert_like_the_rows


@pytest.fixture
def worker(database: Database) -> WorkerInfo:
    """The only worker."""
    return worker_of(database)


def test_a_job_is_claimed_only_after_the_one_that_it_depends_on(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    first = submitted(database, settings)
    second = after(database, settings, first)
    claim = claimed(database, worker)
    assert [member.id for member in claim.members] == [first], "the second is of the same shape, and no rider"
    assert claims(database, worker) == []
    assert follow(database) == {}
    succeeds(database, claim)
    assert claims(database, worker) == [], "nothing was released yet"
    assert follow(database) == {"cpu": 1}
    assert claims(database, worker) == [second]
    assert kinds_of(database, second) == ["submitted", "released", "claimed"]
    assert_like_the_rows(database)


def test_a_job_fails_with_the_one_that_it_depends_on_and_so_does_the_one_after_it(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    first = submitted(database, settings)
    second = after(database, settings, first, steps=5)
    third = after(database, settings, second, steps=6)
    fails(database, claimed(database, worker))
    assert follow(database) == {}
    assert states_of(database, second, third) == ["failed", "failed"]
    assert {row_of(database, each).reason for each in (second, third)} == {"upstream_failed"}
    assert row_of(database, second).message == f"it depends on what did not succeed: the job {first} failed (error)"
    assert str(second) in row_of(database, third).message
    assert kinds_of(database, third) == ["submitted", "failed"]
    assert_like_the_rows(database)


def test_a_cancelled_dependency_fails_a_job_that_asks_for_success_alone(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    first = submitted(database, settings)
    needs_it, needs_its_end = after(database, settings, first), after(database, settings, ended(first))
    cancels(database, first)
    assert follow(database) == {"cpu": 1}
    assert states_of(database, needs_it, needs_its_end) == ["failed", "queued"]
    assert "was cancelled" in row_of(database, needs_it).message
    assert claims(database, worker) == [needs_its_end]


def test_a_job_waits_for_all_of_several(database: Database, settings: Settings, worker: WorkerInfo) -> None:
    first, second, last = (submitted(database, settings, steps=steps) for steps in (4, 5, 6))
    job = after(database, settings, first, second, last)
    ends(database, second)
    assert follow(database) == {}
    ends(database, first)
    assert follow(database) == {}
    ends(database, last)
    assert follow(database) == {"cpu": 1}
    assert claims(database, worker) == [job]


def test_the_first_dependency_that_fails_fails_the_job_while_others_train(
    database: Database, settings: Settings
) -> None:
    first, second = submitted(database, settings), submitted(database, settings)
    job = after(database, settings, first, second)
    ends(database, second, state=State.FAILED)
    follow(database)
    assert states_of(database, first, job) == ["queued", "failed"]


def test_a_batch_follows_a_job_and_a_job_the_batch(database: Database, settings: Settings, worker: WorkerInfo) -> None:
    first = submitted(database, settings)
    batch = batch_after(database, first)
    last = after(database, settings, batch.batch_id)
    succeeds(database, claimed(database, worker))
    assert follow(database) == {"cpu": 3}
    members = claimed(database, worker)
    assert {member.id for member in members.members} == set(members_of(database, batch))
    assert follow(database) == {}
    succeeds(database, members)
    assert follow(database) == {"cpu": 1}
    assert claims(database, worker) == [last]


def test_a_batch_is_looked_at_when_its_last_job_has_ended(database: Database, settings: Settings) -> None:
    batch = batch_after(database)
    one, two, three = members_of(database, batch)
    job = after(database, settings, batch.batch_id)
    anyway = after(database, settings, ended(batch.batch_id))
    ends(database, one, state=State.FAILED)
    follow(database)
    assert states_of(database, job) == ["queued"], "a retry of the batch may still replace the failed one"
    ends(database, two)
    cancels(database, three)
    assert follow(database) == {"cpu": 1}
    assert states_of(database, job, anyway) == ["failed", "queued"]
    words = f"the batch {batch.batch_id} ended with 1 failed and 1 cancelled of its 3 jobs"
    assert row_of(database, job).message == f"it depends on what did not succeed: {words}"


def test_a_batch_follows_a_batch_member_by_member(database: Database, worker: WorkerInfo) -> None:
    first = batch_after(database, size=2)
    specs = [{"stage": "tensor", "steps": 4, "depends_on": [str(each)]} for each in members_of(database, first)]
    second = stored(database, {"jobs": specs, "name": "second"})
    of_first, of_second = members_of(database, first), members_of(database, second)
    ends(database, of_first[0], state=State.FAILED)
    ends(database, of_first[1])
    assert follow(database) == {"cpu": 1}
    assert states_of(database, *of_second) == ["failed", "queued"]
    assert claims(database, worker) == [of_second[1]]


def test_what_a_batch_names_holds_for_each_of_its_jobs(database: Database, settings: Settings) -> None:
    first, other = submitted(database, settings), submitted(database, settings)
    jobs = [{"stage": "tensor", "steps": 4}, {"stage": "tensor", "steps": 4, "depends_on": [str(other)]}]
    batch = stored(database, {"jobs": jobs, "depends_on": [str(first)]})
    ends(database, first)
    assert follow(database) == {"cpu": 1}
    ends(database, other)
    assert follow(database) == {"cpu": 1}
    assert states_of(database, *members_of(database, batch)) == ["queued", "queued"]


def test_a_job_whose_dependencies_have_succeeded_waits_for_nothing(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    first = submitted(database, settings)
    succeeds(database, claimed(database, worker))
    job = after(database, settings, first)
    assert claims(database, worker) == [job]


def test_a_job_that_is_cancelled_while_it_waits_is_like_any_other(database: Database, settings: Settings) -> None:
    first = submitted(database, settings)
    job = after(database, settings, first, device="auto")
    cancels(database, job)
    ends(database, first)
    assert follow(database) == {}
    row = row_of(database, job)
    assert (row.state, row.queue, row.start_step) == ("cancelled", "any", 0)
    assert_like_the_rows(database)


def test_a_released_job_waits_in_the_queue_of_its_device(database: Database, settings: Settings) -> None:
    first = submitted(database, settings)
    jobs: dict[str, UUID] = {device: after(database, settings, first, device=device) for device in ("gpu", "auto")}
    assert {row_of(database, job).queue for job in jobs.values()} == {"blocked"}
    ends(database, first)
    assert follow(database) == {"gpu": 1, "any": 1}
    assert [row_of(database, job).queue for job in jobs.values()] == ["gpu", "any"]
