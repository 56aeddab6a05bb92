"""Priorities are a project's own: rank says which project is due, priority says which of its jobs is claimed."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import select

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo, priorities
from gradyard.store.tables import Job
from tests.actors import claimed, fails
from tests.store.test_fair_queueing import OTHER, batch, one, served, worker

__all__ = ["worker"]  # a fixture


def test_a_project_s_jobs_of_higher_priority_go_first_singles_and_batches_alike(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    common = batch(database, settings, 10)
    single = one(database, settings)
    urgent = batch(database, settings, 4, priority=1)
    most_urgent = one(database, settings, priority=2)
    later = one(database, settings, priority=-1)
    taken = served(database, worker, 17)
    assert taken[:5] == [most_urgent, *[urgent] * 4]
    assert Counter(taken[5:16]) == {common: 10, single: 1}
    assert taken[16] == later


def test_priority_moves_no_job_before_those_of_another_project(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    mine = batch(database, settings, 20)
    theirs = batch(database, settings, 20, project=OTHER, priority=100)
    taken = served(database, worker, 40)
    assert Counter(taken[:20]) == {mine: 10, theirs: 10}


def test_many_jobs_of_high_priority_use_the_share_of_their_project_alone(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    low = batch(database, settings, 40, project=OTHER)
    mine = batch(database, settings, 60)
    high = batch(database, settings, 40, project=OTHER, priority=100)
    taken = served(database, worker, 50)
    assert Counter(taken)[low] == 0
    assert Counter(taken)[mine] >= 18, "two batches of the other project have 1 + 1/2 of the weight"
    rest = served(database, worker, 90)
    assert Counter(taken + rest) == {low: 40, mine: 60, high: 40}


@pytest.mark.parametrize(
    ("low_steps", "high_steps", "most_shifted"),
    [(100, 20_000, 0), (20_000, 100, priorities.MOST_SHIFTED), (1000, 1500, 0), (1000, 1500, priorities.MOST_SHIFTED)],
)
def test_what_is_claimed_counts_by_its_seconds(
    database: Database, settings: Settings, worker: WorkerInfo, monkeypatch: pytest.MonkeyPatch,
    low_steps: int, high_steps: int, most_shifted: int,
) -> None:  # fmt: skip
    """A project must not gain by letting long jobs start in place of short ones, nor the other way round."""
    monkeypatch.setattr(priorities, "MOST_SHIFTED", most_shifted)
    batch(database, settings, 100, project=OTHER, steps=low_steps)
    mine = batch(database, settings, 130, steps=2000)
    batch(database, settings, 100, project=OTHER, steps=high_steps, priority=5)
    served(database, worker, 120)
    with database.read() as connection:
        rows = connection.execute(select(Job.project_id, Job.batch_id, Job.steps, Job.state)).all()
    seconds = Counter[int]()
    for row in rows:
        if row.state == "failed":
            seconds[row.project_id] += row.steps
    assert mine
    most = max(low_steps, high_steps)
    assert seconds[OTHER] <= 2 * 1.5 * seconds[1] + 2 * most, "twice its share at most, over any time"


def test_a_short_job_of_high_priority_does_not_use_up_the_time_of_long_ones(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    long = batch(database, settings, 5, project=OTHER, steps=20_000)
    mine = batch(database, settings, 200, steps=1000)
    short = batch(database, settings, 20, project=OTHER, steps=1000, priority=1)
    taken = served(database, worker, 60)
    last = max(place for place, each in enumerate(taken) if each == short)
    assert Counter(taken[: last + 1])[short] == 20
    assert Counter(taken[: last + 1])[long] == 0
    assert Counter(taken[: last + 1])[mine] == pytest.approx(17, abs=5), "its weight is 1 to 1 + 1/2"


def test_a_pack_is_filled_with_jobs_of_its_project_by_priority(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    batch(database, settings, 10, priority=0)
    batch(database, settings, 6, priority=3)
    batch(database, settings, 10, project=OTHER, priority=100)
    wide = replace(worker, most_members=4)
    packs = []
    for _ in range(4):
        claim = claimed(database, wide)
        packs.append(claim)
        fails(database, claim)
    with database.read() as connection:
        about = {row.id: (row.project_id, row.priority) for row in connection.execute(
            select(Job.id, Job.project_id, Job.priority)
        )}  # fmt: skip
    mine = [[about[each.id] for each in pack.members] for pack in packs if about[pack.members[0].id][0] == 1]
    assert [priority for pack in mine for _, priority in pack][:6] == [3] * 6
    others = [about[each.id] for pack in packs for each in pack.members if about[each.id][0] == OTHER]
    assert len(mine) >= 2, "a project with higher priorities fills no packs of another"
    assert others


def test_a_job_of_high_priority_that_this_worker_cannot_take_is_left_out(
    database: Database, settings: Settings, worker: WorkerInfo
) -> None:
    first = one(database, settings)
    one(database, settings, priority=9, pool="absent")
    assert served(database, worker, 1) == [first]


def test_precedence_goes_before_every_rank(database: Database, settings: Settings, worker: WorkerInfo) -> None:
    common = batch(database, settings, 10, priority=100)
    urgent = batch(database, settings, 10, project=OTHER, precedence=1)
    assert served(database, worker, 12) == [urgent] * 10 + [common] * 2
    late = one(database, settings, project=OTHER)
    assert late in served(database, worker, 2), "what was served at another precedence says nothing about this one"


@pytest.mark.parametrize("most_shifted", [0, priorities.MOST_SHIFTED])
def test_a_job_that_is_claimed_before_another_exchanges_ranks_with_it(
    database: Database, settings: Settings, worker: WorkerInfo, monkeypatch: pytest.MonkeyPatch, most_shifted: int
) -> None:
    monkeypatch.setattr(priorities, "MOST_SHIFTED", most_shifted)
    first = one(database, settings)
    urgent = one(database, settings, priority=1)
    rank = ranks(database)
    claim = claimed(database, worker)
    assert claim.members[0].id == urgent
    assert ranks(database) == pytest.approx({first: rank[urgent], urgent: rank[first]})


def test_jobs_of_one_priority_keep_their_order(database: Database, settings: Settings, worker: WorkerInfo) -> None:
    jobs = [one(database, settings) for _ in range(5)]
    urgent = [one(database, settings, priority=1) for _ in range(3)]
    assert served(database, worker, 8) == [*urgent, *jobs]


def ranks(database: Database) -> dict[UUID, float]:
    with database.read() as connection:
        return {row.id: row.rank for row in connection.execute(select(Job.id, Job.rank))}
