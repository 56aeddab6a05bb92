"""What a rule leaves for a while: jobs that keys stand for, that others wait for, originals of rechecks."""

from hashlib import sha256
from uuid import UUID

import orjson
import pytest
from sqlalchemy import update

from gradyard.jobs.evidence.rechecks import RecheckState, Verdict
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import State
from gradyard.jobs.storage import RetentionRule
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.dialects import clock_of
from gradyard.store.lifecycle.submit import Submitted, claim_key
from gradyard.store.rechecks import keep_verdict
from gradyard.store.retention import expire, rules
from gradyard.store.retention.due import due
from gradyard.store.retention.preview import count_due
from gradyard.store.tables import IdempotencyKey
from tests.actors import claimed, fails, submitted, worker_of
from tests.store.dependencies.pipelines import after, cancels, ends, follow, members_of
from tests.store.retention.projects_for_tests import DAY, ended, ended_jobs, left, measured, pin, run
from tests.store.test_batches import counts, stored

BODY = b'{"stage": "tensor", "steps": 4}'


def key_of(database: Database, key: str, job_id: UUID, retried: int | None = None) -> None:
    with database.begin() as connection:
        assert claim_key(connection, 1, key, sha256(BODY).hexdigest(), job_id, retried=retried) is None


@pytest.mark.parametrize("rule", [RetentionRule(days=1), RetentionRule(jobs=1), RetentionRule(bytes=1)])
def test_a_job_stays_while_its_key_is_young(database: Database, settings: Settings, rule: RetentionRule) -> None:
    ids = ended_jobs(database, settings, [9, 8, 7, 6, 0.5])
    key_of(database, "k", ids[1])
    key_of(database, "of a retry", ids[2], retried=3)  # its answer needs no job
    run(database, rule)
    assert set(left(database)) == {ids[1]} | (set() if rule.bytes else {ids[4]})
    with database.begin() as connection:
        parsed = parse_job(BODY, settings)
        again = lifecycle.submit(connection, parsed, project_id=1, actor="a", max_queued=9, key="k", body=BODY)
        assert again == Submitted(ids[1], replayed=True)
        connection.execute(update(IdempotencyKey).values(created_at=IdempotencyKey.created_at - 2 * DAY))
    run(database, RetentionRule(days=1))
    assert ids[1] not in left(database)


def test_a_batch_stays_with_its_first_job_while_its_key_is_young(database: Database) -> None:
    three = {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": 3}}}
    batch, worker = stored(database, three, key="k"), worker_of(database)
    while counts(database, batch).get("queued"):
        fails(database, claimed(database, worker))
    with database.begin() as connection:
        for job_id in left(database):
            ended(connection, job_id, 9)
    assert run(database, RetentionRule(days=1)).jobs == 2
    assert stored(database, three, key="k").replayed
    assert run(database, RetentionRule(days=1), key_seconds=-1.0).jobs == 1


def test_an_original_stays_until_its_recheck_was_compared_with_it(database: Database, settings: Settings) -> None:
    (original,) = ended_jobs(database, settings, [9])
    with database.begin() as connection:
        row = queries.job_by_id(connection, 1, original)
        parsed = parse_job(orjson.dumps(row.spec), settings)
        recheck = lifecycle.submit(connection, parsed, project_id=1, actor="a", max_queued=9, recheck_of=row).job_id
    assert run(database, RetentionRule(days=1)).jobs == 0
    with database.begin() as connection:
        keep_verdict(connection, 1, recheck, Verdict(RecheckState.SAME, "the same"))
    assert run(database, RetentionRule(days=1)).jobs == 1


def waited_for(database: Database, settings: Settings) -> tuple[list[UUID], UUID, UUID]:
    """A job and two of a batch that ended long ago; one that waits for them and for a live one; and the live one."""
    alone, live = submitted(database, settings), submitted(database, settings)
    batch = stored(database, {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": 2}}})
    any_end = [{"id": str(each), "condition": "ended"} for each in (alone, batch.batch_id)]
    waits = after(database, settings, *any_end, live)
    needed = [alone, *members_of(database, batch)]
    ends(database, *needed, state=State.FAILED)
    measured(database)
    follow(database)
    return needed, waits, live


@pytest.mark.parametrize("rule", [RetentionRule(days=1), RetentionRule(jobs=1), RetentionRule(bytes=1)])
def test_what_others_wait_for_is_not_due(database: Database, settings: Settings, rule: RetentionRule) -> None:
    _, waits, _ = waited_for(database, settings)
    assert _due(database, rule) == []
    cancels(database, waits)
    assert len(_due(database, rule)) == (2 if rule.jobs else 3)


def test_what_others_wait_for_is_not_deleted_though_it_was_due_a_moment_ago(
    database: Database, settings: Settings
) -> None:
    needed, waits, _ = waited_for(database, settings)
    for each in needed:
        with database.begin() as connection:
            assert lifecycle.delete_ended(connection, 1, [each]) == []
    cancels(database, waits)
    with database.begin() as connection:
        assert lifecycle.delete_ended(connection, 1, needed) == needed


def test_what_others_waited_for_goes_once_they_may_run(database: Database, settings: Settings) -> None:
    needed, waits, live = waited_for(database, settings)
    assert run(database, RetentionRule(days=1)).jobs == 0
    ends(database, live)
    assert run(database, RetentionRule(days=1)).jobs == 0, "the end was not looked at yet"
    assert follow(database) == {"cpu": 1}
    assert run(database, RetentionRule(days=1)).jobs == len([*needed, live])
    assert left(database) == [waits]


def test_a_rule_that_is_taken_back_deletes_nothing_more(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expire, "SLICE_SECONDS", -1.0)  # a job a transaction
    ids = ended_jobs(database, settings, [9, 8, 7])
    measured(database)
    slices = expire.Expiry(database, 1, RetentionRule(days=1), 0.0, "maintenance", "host").slices()
    assert next(slices).jobs == 1
    with database.begin() as connection:
        rules.set_rule(connection, 1, RetentionRule(), actor="api")
    assert list(slices) == []
    assert left(database) == ids[1:]


def test_what_is_not_measured_is_counted_or_said_to_be_unknown(database: Database, settings: Settings) -> None:
    ids = ended_jobs(database, settings, [9, 8, 7, 0.5])
    submitted(database, settings)
    pin(database, ids[0])
    with database.read() as connection:
        for rule, count in (
            (RetentionRule(days=1), 2), (RetentionRule(jobs=1), 2), (RetentionRule(days=8.5, jobs=2), 1),
            (RetentionRule(bytes=1), None), (RetentionRule(days=1, bytes=1), None), (RetentionRule(), 0),
        ):  # fmt: skip
            assert count_due(connection, 1, rule, at=_now(database)) == count, rule
        assert due(connection, 1, RetentionRule(days=1), at=_now(database), most=9, key_seconds=0.0) == []


def test_in_a_project_without_jobs_nothing_is_due(database: Database) -> None:
    with database.read() as connection:
        assert count_due(connection, 1, RetentionRule(days=1, jobs=1, bytes=1), at=_now(database)) == 0


def _due(database: Database, rule: RetentionRule) -> list[UUID]:
    at = _now(database)
    with database.read() as connection:
        return due(connection, 1, rule, at=at, most=9, key_seconds=0.0)


def _now(database: Database) -> float:
    with database.read() as connection:
        return clock_of(connection)
