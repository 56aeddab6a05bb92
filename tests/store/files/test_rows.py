"""Files in the database: one for the same bytes, kept while a job needs it, whichever of two requests is first."""

import threading
from uuid import UUID

import orjson
import pytest
from sqlalchemy import update

from gradyard.jobs.errors import IllegalMove, NotFound, SpecInvalid
from gradyard.jobs.files.facts import Column, FileFacts, FileFormat
from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.file_data import FileData, XAndY
from gradyard.jobs.submission.parse import ParsedJob, parse_job
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.files import rows
from gradyard.store.files.rows import NewFile
from gradyard.store.files.unused import forget_unused
from gradyard.store.tables import File
from tests.actors import claimed, fails, waits_for_a_lock, worker_of
from tests.stack.until import until

FACTS = FileFacts(FileFormat.CSV, 2, (Column("x", "number", True), Column("y", "number", True)), ((1.0, 2.0),))
ID = "7" * 64
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer


class Known:
    """Files whose numbers are never asked for."""

    def with_values(self, dataset: FileData) -> FileData:
        return dataset.with_values(2, lambda: XAndY(*([None] * 2)))  # type: ignore[arg-type]


def store(database: Database, sha256: str = ID, place: str | None = None) -> bool:
    new = NewFile(sha256, 9, FACTS, "a.csv", content=None if place else b"x,y\n1,2\n3", place=place)
    with database.begin() as connection:
        return rows.store_file(connection, 1, new, actor="test")


def parsed(settings: Settings, sha256: str = ID) -> ParsedJob:
    dataset = {"kind": "file", "file": sha256, "x": "x", "y": "y"}
    return parse_job(orjson.dumps({"stage": "dynamic", "steps": 4, "dataset": dataset}), settings, Known)


def submit(database: Database, job: ParsedJob) -> UUID:
    with database.begin() as connection:
        return lifecycle.submit(connection, job, project_id=1, actor="test", max_queued=100).job_id


@pytest.fixture
def job(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> ParsedJob:
    """A job on the file, of which no number was computed."""
    monkeypatch.setattr("gradyard.jobs.submission.parse.resolve", lambda spec, descents: ({}, []))
    return parsed(settings)


def delete(database: Database) -> str | None:
    with database.begin() as connection:
        return rows.delete_file(connection, 1, ID)


def is_there(database: Database) -> bool:
    with database.read() as connection:
        try:
            rows.file_by_id(connection, 1, ID)
        except NotFound:
            return False
    return True


def test_the_same_bytes_are_stored_once(database: Database) -> None:
    assert store(database)
    assert not store(database)
    with database.read() as connection:
        assert rows.bytes_of_files(connection, 1) == (1, 9)
        assert rows.content_in_sql(connection, 1, ID) == b"x,y\n1,2\n3"


def test_a_file_is_deleted_with_its_content_once_no_job_needs_it(database: Database, job: ParsedJob) -> None:
    store(database)
    job_id = submit(database, job)
    with pytest.raises(IllegalMove, match="1 job is trained on the file"):
        delete(database)
    fails(database, claimed(database, worker_of(database)))
    with database.begin() as connection:
        lifecycle.delete_job(connection, 1, job_id)
    assert delete(database) is None
    assert not is_there(database)
    with database.read() as connection:
        assert rows.content_in_sql(connection, 1, ID) is None


def test_a_job_on_a_file_that_was_deleted_meanwhile_is_refused_whole(database: Database, job: ParsedJob) -> None:
    store(database)
    delete(database)
    with pytest.raises(SpecInvalid, match=r"/dataset/file: .* was deleted in the meantime"):
        submit(database, job)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM jobs").scalar_one() == 0


@on_postgresql
def test_a_deletion_waits_for_a_submission_and_then_leaves_the_file(database: Database, job: ParsedJob) -> None:
    store(database)
    refused = list[Exception]()

    def delete_and_tell() -> None:
        try:
            delete(database)
        except IllegalMove as error:
            refused.append(error)

    with database.begin() as connection:
        lifecycle.submit(connection, job, project_id=1, actor="test", max_queued=100)
        deletion = threading.Thread(target=delete_and_tell)
        deletion.start()
        until(lambda: waits_for_a_lock(database))
    deletion.join(10)
    assert len(refused) == 1
    assert is_there(database)


@on_postgresql
def test_a_submission_waits_for_a_deletion_and_is_then_refused(database: Database, job: ParsedJob) -> None:
    store(database)
    refused = list[Exception]()

    def submit_and_tell() -> None:
        try:
            submit(database, job)
        except SpecInvalid as error:
            refused.append(error)

    with database.begin() as connection:
        rows.delete_file(connection, 1, ID)
        submission = threading.Thread(target=submit_and_tell)
        submission.start()
        until(lambda: waits_for_a_lock(database))
    submission.join(10)
    assert len(refused) == 1


def test_files_that_no_job_needs_are_forgotten_some_days_after_their_last_upload(
    database: Database, job: ParsedJob
) -> None:
    for sha256 in (ID, "8" * 64, "9" * 64):
        store(database, sha256)
    with database.begin() as connection:
        old = update(File).where(File.sha256 != "9" * 64).values(uploaded_at=File.uploaded_at - 8 * 86_400)
        connection.execute(old)
    submit(database, job)
    list(forget_unused(database, days=7))
    with database.read() as connection:
        assert rows.bytes_of_files(connection, 1) == (2, 18), "one is needed, and one is new"
    store(database, "8" * 64)
    list(forget_unused(database, days=7))
    with database.read() as connection:
        assert rows.bytes_of_files(connection, 1) == (3, 27)
