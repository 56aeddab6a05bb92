"""What a rule lets go: jobs that have ended, the oldest first, never a pinned or a live one; and all of it is told."""

import random
import re
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import Connection, func, insert, select, update

from gradyard.jobs.errors import Gone
from gradyard.jobs.settings import Settings
from gradyard.jobs.storage import RetentionRule
from gradyard.store import queries
from gradyard.store.database import Database
from gradyard.store.dialects import clock_of
from gradyard.store.retention import expire, rules
from gradyard.store.retention.due import beyond_bytes, due
from gradyard.store.retention.preview import count_due
from gradyard.store.tables import Counter, Job, JobSize, Project, Table, bytes_of
from tests.actors import claimed, fails, submitted, worker_of
from tests.store.retention.projects_for_tests import DAY, ended, ended_jobs, left, measured, pin, run
from tests.store.test_batches import counts, stored

SEVEN = {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": 7}}}


def test_jobs_go_that_ended_too_long_ago(database: Database, settings: Settings) -> None:
    ids = ended_jobs(database, settings, [91, 89, 90.5, 0])
    assert run(database, RetentionRule(days=90)).jobs == 2
    assert left(database) == [ids[1], ids[3]]


def test_of_the_jobs_that_ended_the_newest_are_kept(database: Database, settings: Settings) -> None:
    ids = ended_jobs(database, settings, [1, 3, 2, 4])
    assert run(database, RetentionRule(jobs=4)).jobs == 0
    assert run(database, RetentionRule(jobs=2)).jobs == 2
    assert left(database) == [ids[0], ids[2]]


def test_the_oldest_go_until_the_others_are_small_enough(database: Database, settings: Settings) -> None:
    ids = ended_jobs(database, settings, [1, 3, 2, 4])
    with database.read() as connection:
        unmeasured = due(connection, 1, RetentionRule(bytes=1), at=0.0, most=9, key_seconds=DAY)
    assert unmeasured == []
    measured(database)
    with database.begin() as connection:
        zeros = {column.name: 0 for column in JobSize.__table__.columns if column.name.endswith("_bytes")}
        connection.execute(update(JobSize).values(zeros | {"losses_bytes": 50, "logs_bytes": 50}))
    assert run(database, RetentionRule(bytes=400)).jobs == 0
    assert run(database, RetentionRule(bytes=399)) == expire.Expired(1, 100)
    assert run(database, RetentionRule(bytes=200)) == expire.Expired(1, 100)
    assert left(database) == [ids[0], ids[2]]


@pytest.mark.parametrize("rule", [RetentionRule(days=1), RetentionRule(jobs=1), RetentionRule(bytes=1)])
def test_a_pinned_job_stays_and_counts_in_no_rule(database: Database, settings: Settings, rule: RetentionRule) -> None:
    ids = ended_jobs(database, settings, [5, 4, 3, 0.5])
    pin(database, ids[1], ids[3])
    measured(database)
    run(database, rule)
    kept = {ids[1], ids[3]} | ({ids[2]} if rule.jobs else set())
    assert set(left(database)) == kept


def test_a_live_job_stays(database: Database, settings: Settings) -> None:
    ids = ended_jobs(database, settings, [5])
    live = [submitted(database, settings) for _ in range(2)]
    claimed(database, worker_of(database, "cpu-1"))
    run(database, RetentionRule(days=1e-9, jobs=1, bytes=1))
    assert left(database) == live
    assert ids[0] not in left(database)


def test_another_project_keeps_its_own(database: Database, settings: Settings) -> None:
    ids = ended_jobs(database, settings, [5, 4])
    with database.begin() as connection:
        connection.execute(insert(Project).values(id=2, name="other"))
    assert run(database, RetentionRule(days=1, jobs=1, bytes=1), project_id=2).jobs == 0
    assert left(database) == ids


def test_an_expired_job_leaves_an_id_that_is_gone_and_no_row(database: Database, settings: Settings) -> None:
    (job_id,) = ended_jobs(database, settings, [5])
    measured(database)
    run(database, RetentionRule(days=1))
    with database.read() as connection:
        with pytest.raises(Gone):
            queries.job_by_id(connection, 1, job_id)
        for table in Table.metadata.tables.values():
            if "job_id" in table.columns and table.name != "idempotency_keys":
                assert connection.execute(table.select().where(table.c.job_id == job_id)).all() == []


def test_a_batch_loses_its_members_one_by_one_and_goes_with_the_last(database: Database) -> None:
    batch = stored(database, SEVEN)
    worker = worker_of(database)
    while counts(database, batch).get("queued"):
        fails(database, claimed(database, worker))
    members = left(database)
    with database.begin() as connection:
        for job_id in members[:4]:
            ended(connection, job_id, 9)
    assert run(database, RetentionRule(days=5)).jobs == 4
    assert counts(database, batch) == {"failed": 3}
    with database.read() as connection:
        assert queries.batch_by_id(connection, 1, batch.batch_id).size == 7
    assert run(database, RetentionRule(days=1e-9)).jobs == 3
    with database.read() as connection, pytest.raises(Gone):
        queries.batch_by_id(connection, 1, batch.batch_id)


def test_a_run_is_one_entry_of_the_audit_and_is_counted(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expire, "SLICE_SECONDS", 1e-9)  # a job a transaction
    ended_jobs(database, settings, [5, 4, 3])
    assert run(database, RetentionRule(days=1)).jobs == 3
    assert run(database, RetentionRule(days=1)).jobs == 0
    with database.read() as connection:
        (entry,), _ = queries.audit_newest_first(connection, 1, limit=9)
        counted = connection.execute(select(Counter.total).where(Counter.name == "jobs_expired")).scalar_one()
    assert (entry.action, entry.target, entry.actor) == ("jobs_expired", "default", "maintenance@host (pid 1)")
    assert re.fullmatch(r"3 jobs with [\d,]{5,} bytes; kept: 1 day", entry.detail)
    assert counted == 3


def test_two_that_do_it_at_once_let_go_what_one_does(database: Database, settings: Settings) -> None:
    ids = ended_jobs(database, settings, list(range(40, 0, -1)))
    measured(database)
    with database.read() as connection:
        size = sum(connection.execute(select(bytes_of(JobSize))).scalars()) // 40
    for rule in (RetentionRule(jobs=30), RetentionRule(bytes=20 * size + size // 2), RetentionRule(days=10.5)):
        with ThreadPoolExecutor(2) as threads:
            done = list(threads.map(lambda _, rule=rule: run(database, rule).jobs, range(2)))
        assert sum(done) == 10
    assert left(database) == ids[30:]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_a_job_that_another_transaction_holds_is_left_to_the_next_run(database: Database, settings: Settings) -> None:
    ids = ended_jobs(database, settings, [5, 4, 3])
    measured(database)
    with database.begin() as other:
        other.execute(select(Job.id).where(Job.id == ids[1]).with_for_update())
        assert run(database, RetentionRule(days=1)).jobs == 2
    assert run(database, RetentionRule(days=1)).jobs == 1


def beyond(connection: Connection, kept: int) -> int:
    return connection.execute(select(func.count()).select_from(beyond_bytes(1, kept).subquery())).scalar_one()


def test_any_rule_lets_go_what_a_plain_loop_does(database: Database, settings: Settings) -> None:
    draw = random.Random(7)
    ages = [draw.uniform(0, 100) for _ in range(24)]
    ids = ended_jobs(database, settings, ages)
    pinned = draw.sample(ids, 5)
    pin(database, *pinned)
    measured(database)
    with database.read() as connection:
        moment = clock_of(connection)
        size = {row[0]: row[1] for row in connection.execute(select(JobSize.job_id, bytes_of(JobSize)))}
    newest = [job_id for _, job_id in sorted(zip(ages, ids, strict=True)) if job_id not in pinned]
    age = dict(zip(ids, ages, strict=True))
    for _ in range(40):
        days, jobs = draw.choice([None, draw.uniform(0, 100)]), draw.choice([None, draw.randrange(1, 24)])
        most = draw.choice([None, draw.randrange(1, sum(size.values()))])
        kept, stored_bytes = list[UUID](), 0
        for number, job_id in enumerate(newest):
            stored_bytes += size[job_id]
            if (jobs is None or number < jobs) and (days is None or age[job_id] <= days):
                kept.append(job_id)
        with database.read() as connection:
            found = [
                each for rule in (RetentionRule(days=days), RetentionRule(jobs=jobs))
                for each in due(connection, 1, rule, at=moment, most=99, key_seconds=0.0)
            ]  # fmt: skip
            by_bytes = due(connection, 1, RetentionRule(bytes=most), at=moment, most=99, key_seconds=0.0)
            assert count_due(connection, 1, RetentionRule(days, jobs), at=moment) == len(set(found))
            assert most is None or beyond(connection, most) == len(by_bytes)
        assert set(newest) - set(found) == set(kept)
        rest = [job_id for job_id in newest if job_id not in by_bytes]
        assert rest == newest[: len(rest)]
        assert most is None or sum(size[each] for each in rest) <= most
        assert most is None or not by_bytes or sum(size[each] for each in rest) + size[newest[len(rest)]] > most


def test_the_rule_of_a_project_goes_before_that_of_the_service(database: Database) -> None:
    service, own = RetentionRule(days=90), RetentionRule(jobs=5)
    with database.begin() as connection:
        assert rules.rule_of(connection, 1, service) == service
        rules.set_rule(connection, 1, own, actor="api")
        rules.set_rule(connection, 1, RetentionRule(), actor="api")
        assert rules.rule_of(connection, 1, service).keeps_all
        rules.set_rule(connection, 1, own, actor="api")
        assert rules.rule_of(connection, 1, service) == own
        assert rules.unset_rule(connection, 1)
        assert not rules.unset_rule(connection, 1)
        assert rules.rule_of(connection, 1, service) == service
