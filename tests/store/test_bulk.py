"""Many rows at once: each row as it was given, whether few or many, and nothing of them after an error."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.settings import Settings
from gradyard.store.bulk import OnConflict, insert_rows, update_rows
from gradyard.store.database import Database
from gradyard.store.tables import DeletedJob, Job, JobTag, LossChunk
from tests.actors import submitted

SIZES = pytest.mark.parametrize("size", [1, 100])


def chunks(job: UUID, size: int, value: bytes) -> list[dict[str, Any]]:
    rows = {"job_id": job, "project_id": 1, "steps": 1, "losses": value}
    return [rows | {"start_step": step} for step in range(size)]


def losses(database: Database) -> list[bytes]:
    with database.read() as connection:
        return list(connection.execute(select(LossChunk.losses).order_by(LossChunk.start_step)).scalars())


@SIZES
def test_a_row_that_is_there_is_replaced_or_kept_as_asked(database: Database, settings: Settings, size: int) -> None:
    job = submitted(database, settings)
    kept = (OnConflict.FAIL, b"\0\1\t\\"), (OnConflict.REPLACE, b"two"), (OnConflict.IGNORE, b"three")
    for on_conflict, value in kept:
        with database.begin() as connection:
            insert_rows(connection, LossChunk, chunks(job, size, value), on_conflict)
        assert losses(database) == [b"two" if on_conflict is OnConflict.IGNORE else value] * size


@SIZES
def test_texts_come_back_as_they_were(database: Database, settings: Settings, size: int) -> None:
    job = submitted(database, settings)
    tags = {f"{number}\t\n\\N": "\\. 'ü' \"%s\"" for number in range(size)}
    with database.begin() as connection:
        rows = [{"job_id": job, "project_id": 1, "key": key, "value": value} for key, value in tags.items()]
        insert_rows(connection, JobTag, rows)
    with database.read() as connection:
        assert {row.key: row.value for row in connection.execute(select(JobTag.key, JobTag.value))} == tags


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_is_lost_in_a_copy_is_a_database_that_does_not_answer(database: Database) -> None:
    rows = [{"id": new_id(), "project_id": 1, "deleted_at": 0.0} for _ in range(100)]

    def insert_while_it_is_cut_off() -> None:
        with database.begin() as connection, database.begin() as other:
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            other.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
            insert_rows(connection, DeletedJob, rows)

    with pytest.raises(DatabaseUnavailable):
        insert_while_it_is_cut_off()
    with database.read() as connection:
        assert connection.execute(select(DeletedJob.id)).all() == []


def test_only_rows_that_meet_the_condition_are_updated(database: Database, settings: Settings) -> None:
    jobs = [submitted(database, settings) for _ in range(3)]
    with database.begin() as connection:
        connection.execute(update(Job).where(Job.id == jobs[0]).values(attempt=7))
        rows = [{"id": job, "attempt": 0, "max_pack": number} for number, job in enumerate(jobs)]
        update_rows(connection, Job, rows, by=("id", "attempt"), only="state = 'queued'")
    with database.read() as connection:
        assert list(connection.execute(select(Job.max_pack).order_by(Job.id)).scalars()) == [None, 1, 2]
