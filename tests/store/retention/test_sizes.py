"""Sizes of jobs are those of their rows, and the sums of projects those of their jobs."""

import numpy as np
import orjson
import pytest
from sqlalchemy import Connection, insert, select

from gradyard.jobs.settings import Settings
from gradyard.jobs.storage import RetentionRule, StoredKind
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.dialects import clock_of
from gradyard.store.lifecycle import Outcome
from gradyard.store.retention import sizes, totals
from gradyard.store.retention.sizes import sizes_of
from gradyard.store.tables import SIZES, Job, JobEvent, JobSize, Project, ProjectStorage
from tests.actors import claimed, fails, progress_of, submitted, submitted_to, succeeds, worker_of
from tests.store.retention.projects_for_tests import DAY, ended_jobs, measured, run


def rows_of(connection: Connection, table: type) -> list[dict[str, int]]:
    columns = [table.__table__.columns[name] for name in SIZES]  # type: ignore[attr-defined]
    return [dict(row._mapping) for row in connection.execute(select(*columns))]


def test_each_kind_has_the_bytes_that_were_stored(database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings, name="é", steps=6)
    claim = claimed(database, worker_of(database))
    (member,) = claim.members
    with database.begin() as connection:
        first = progress_of(member, [1.0] * 4)
        first.metrics["accuracy"] = np.ones(2)
        lifecycle.record(connection, first)
        lifecycle.record(connection, progress_of(member, [1.0] * 2, 4))
        lifecycle.keep_log(connection, member.held, "héllo", truncated=False)
        outcome = Outcome(None, None, {}, {"weights": np.ones((3, 5), np.float32)})
        lifecycle.succeed(connection, member.held, outcome, actor="worker")
    with database.read() as connection:
        found = sizes_of(connection, [job_id])[job_id]
        job = connection.execute(select(Job.spec, Job.resolved, Job.warnings).where(Job.id == job_id)).one()
        events = connection.execute(select(JobEvent.actor, JobEvent.detail)).all()
    assert {kind: (found[f"{kind}_rows"], found[f"{kind}_bytes"]) for kind in StoredKind if kind != "specs"} == {
        "losses": (2, 24), "metrics": (1, 16), "artifacts": (1, 60), "checkpoints": (2, 10), "logs": (1, 6),
        "events": (len(events), sum(len((each or "").encode()) for event in events for each in event)),
    }  # fmt: skip
    compact = sum(len(orjson.dumps(each)) for each in job)
    assert found["specs_rows"] == 1
    assert compact <= found["specs_bytes"] < 2 * compact + 100  # PostgreSQL keeps the text that was sent


def test_every_job_that_ended_is_measured_once_in_the_order_of_ends(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "PAGE", 2)
    monkeypatch.setattr(sizes, "_page", sizes._page.limit(2))
    ids = ended_jobs(database, settings, [3, 1, 5, 5, 2])
    submitted(database, settings)  # it waits
    assert measured(database) == 3
    with database.read() as connection:
        assert set(connection.execute(select(JobSize.job_id)).scalars()) == set(ids)
        before = rows_of(connection, JobSize)
    assert measured(database) == 3
    with database.read() as connection:
        assert rows_of(connection, JobSize) == before


def test_only_what_ended_since_then_is_looked_at(database: Database, settings: Settings) -> None:
    ended_jobs(database, settings, [3, 1])
    with database.read() as connection:
        moment = clock_of(connection) - 2 * DAY
    assert measured(database, 2) == 0
    assert measured(database, 1, moment) == 1
    with database.read() as connection:
        assert connection.execute(select(JobSize.finished_at)).scalar_one() > moment


def test_jobs_of_every_stage_and_final_state_are_measured(database: Database, settings: Settings) -> None:
    for stage in ("tensor", "nn"):
        for end in (succeeds, fails):
            submitted(database, settings, stage=stage, steps=4)
            end(database, claimed(database, worker_of(database)))
    cancelled = submitted(database, settings)
    with database.begin() as connection:
        lifecycle.request_cancel(connection, cancelled, actor="test")
    assert measured(database) == 5


def test_a_job_that_is_deleted_while_it_is_measured_is_left_out(database: Database, settings: Settings) -> None:
    gone, kept = ended_jobs(database, settings, [1, 2])
    with database.read() as connection:
        found = sizes_of(connection, [gone, kept])
    with database.begin() as connection:
        lifecycle.delete_job(connection, 1, gone)
    sizes._store(database, 1, found, {gone: 1.0, kept: 1.0})
    with database.read() as connection:
        assert list(connection.execute(select(JobSize.job_id)).scalars()) == [kept]


def stored(database: Database, project_id: int) -> dict[str, int]:
    with database.read() as connection:
        columns = [ProjectStorage.__table__.columns[name] for name in SIZES]
        row = connection.execute(select(*columns).where(ProjectStorage.project_id == project_id)).one()
    return dict(row._mapping)


def test_the_sums_of_a_project_are_those_of_its_jobs_running_ones_included(
    database: Database, settings: Settings
) -> None:
    with database.begin() as connection:
        connection.execute(insert(Project).values(id=2, name="other"))
    ids = ended_jobs(database, settings, [1, 2, 3])
    submitted_to(2, database, settings)
    claim = claimed(database, worker_of(database, "cpu-1"))
    with database.begin() as connection:
        lifecycle.record(connection, progress_of(claim.members[0], [1.0, 2.0]))
    measured(database)
    totals.add_up(database, {1: 7.0, 2: 0.0})
    with database.read() as connection:
        expected = sizes.total(list(sizes_of(connection, ids).values()))
        assert totals.measured_to(connection) == {1: 7.0, 2: 0.0}
        age = totals.seconds_since_added_up(connection)
        assert age is not None
        assert 0 <= age < 60
    assert stored(database, 1) == expected
    assert (stored(database, 2)["losses_bytes"], stored(database, 2)["specs_rows"]) == (8, 1)
    run(database, RetentionRule(jobs=1))
    succeeds(database, claim, [1.0, 2.0, 3.0, 4.0])
    measured(database, 2)
    totals.add_up(database, {1: 7.0, 2: 0.0})
    assert stored(database, 1)["specs_rows"] == 1
    assert stored(database, 2)["losses_bytes"] == 16


def test_a_project_without_jobs_stores_nothing(database: Database) -> None:
    with database.read() as connection:
        assert totals.seconds_since_added_up(connection) is None
    totals.add_up(database, {1: 0.0})
    assert set(stored(database, 1).values()) == {0}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL keeps the length apart
def test_a_size_is_told_without_reading_what_has_it(database: Database) -> None:
    """SQLite would read gigabytes otherwise: it keeps the length of bytes in the row's head."""
    plan = sizes._of_kind[StoredKind.CHECKPOINTS].compile(dialect=database.engine.dialect)
    assert "length(checkpoints.blob)" in str(plan)
