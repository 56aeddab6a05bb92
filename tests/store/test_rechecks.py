"""A verdict is written down once, and for a recheck that is there."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import Connection

from gradyard.jobs.errors import Gone
from gradyard.jobs.evidence.rechecks import RecheckState, Verdict
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.rechecks import keep_verdict
from tests.actors import claimed, submitted, succeeds, worker_of

SAME, OTHER = Verdict(RecheckState.SAME, "the same"), Verdict(RecheckState.DIFFERS, "another")


def keep(database: Database, job_id: UUID, verdict: Verdict) -> None:
    with database.begin() as connection:
        keep_verdict(connection, 1, job_id, verdict)


def test_the_first_of_two_verdicts_stays_and_goes_with_its_job(database: Database, settings: Settings) -> None:
    job_id = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    keep(database, job_id, SAME)
    keep(database, job_id, OTHER)
    with database.read() as connection:
        kept = queries.verdict_on(connection, job_id)
    assert kept is not None
    assert (kept.state, kept.message, kept.conditions) == ("same", "the same", {})
    with database.begin() as connection:
        lifecycle.delete_job(connection, 1, job_id)
    with database.read() as connection:
        assert queries.verdict_on(connection, job_id) is None


def test_a_verdict_on_a_recheck_that_was_deleted_meanwhile_is_dropped(database: Database) -> None:
    keep(database, new_id(), SAME)


def rechecked(connection: Connection, settings: Settings, original: Any) -> UUID:
    parsed = parse_job(orjson.dumps(original.spec), settings)
    return lifecycle.submit(
        connection, parsed, project_id=1, actor="test", max_queued=1000, recheck_of=original
    ).job_id  # fmt: skip


def finished(database: Database, settings: Settings) -> Any:
    """The row of a job that has succeeded."""
    job_id = submitted(database, settings)
    succeeds(database, claimed(database, worker_of(database)))
    with database.read() as connection:
        return queries.job_by_id(connection, 1, job_id)


def delete(database: Database, job_id: UUID) -> bool:
    with database.begin() as connection:
        return lifecycle.delete_job(connection, 1, job_id)


def test_a_job_that_was_deleted_meanwhile_is_not_rechecked(database: Database, settings: Settings) -> None:
    original = finished(database, settings)
    delete(database, original.id)
    with pytest.raises(Gone, match=str(original.id)), database.begin() as connection:
        rechecked(connection, settings, original)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_a_job_is_not_deleted_while_its_recheck_is_stored(database: Database, settings: Settings) -> None:
    original = finished(database, settings)
    with ThreadPoolExecutor(1) as threads, database.begin() as connection:
        rechecked(connection, settings, original)
        deletion = threads.submit(delete, database, original.id)
        with pytest.raises(TimeoutError):
            deletion.result(0.3)
        connection.commit()
        assert deletion.result(10)
