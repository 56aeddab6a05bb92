"""A batch is deleted with its jobs, a slice at a time; what interrupts it leaves nothing that cannot be finished."""

import time
from uuid import UUID

import pytest

from gradyard.jobs.errors import Gone, IllegalMove, NotFound
from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.lifecycle import DeletedSlice, SubmittedBatch
from gradyard.store.lifecycle.delete import SLICE_SECONDS
from gradyard.store.tables import Table
from tests.actors import claimed, fails, submitted, succeeds, worker_of
from tests.store.test_batches import counts, stored

SEVEN = {"spec": {"stage": "nn", "steps": 4}, "grid": {"seed": {"stop": 7}}}


def finished_batch(database: Database, size: int = 7) -> SubmittedBatch:
    """A batch of that size, of which every job has succeeded."""
    batch = stored(database, SEVEN | {"grid": {"seed": {"stop": size}}}, most=100_000)
    worker = worker_of(database)
    while counts(database, batch).get("queued"):
        succeeds(database, claimed(database, worker))
    return batch


def slice_of(database: Database, batch: SubmittedBatch) -> DeletedSlice:
    with database.begin() as connection:
        return lifecycle.delete_batch_slice(connection, 1, batch.batch_id)


def ids_of(database: Database, batch: SubmittedBatch) -> list[UUID]:
    with database.read() as connection:
        return [job.id for job in queries.jobs_newest_first(connection, 1, limit=50, batch=batch.batch_id).jobs]


def test_a_deleted_batch_leaves_nothing_but_ids(database: Database, settings: Settings) -> None:
    other = submitted(database, settings)
    batch = finished_batch(database)
    ids = ids_of(database, batch)
    assert slice_of(database, batch) == DeletedSlice(7, more=False)
    with database.read() as connection:
        for gone in ids:
            with pytest.raises(Gone, match=r"the job .* was deleted"):
                queries.job_by_id(connection, 1, gone)
        with pytest.raises(Gone, match=r"the batch .* was deleted"):
            queries.batch_by_id(connection, 1, batch.batch_id)
        with pytest.raises(NotFound, match="there is no batch"):
            queries.batch_by_id(connection, 2, batch.batch_id)
        assert queries.batches_newest_first(connection, 1, limit=5) == ([], None)
        assert queries.job_by_id(connection, 1, other).id == other
        for table in Table.metadata.tables.values():
            if "job_id" in table.columns and table.name != "idempotency_keys":
                assert connection.execute(table.select().where(table.c.job_id.in_(ids))).all() == []
    assert slice_of(database, batch) == DeletedSlice(0, more=False)


def test_an_interrupted_deletion_is_finished_by_the_next(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = finished_batch(database)
    with monkeypatch.context() as hurried:
        hurried.setattr("gradyard.store.lifecycle.delete.SLICE_SECONDS", -1.0)
        assert slice_of(database, batch) == DeletedSlice(1, more=True)
    assert counts(database, batch) == {"succeeded": 6}
    with database.read() as connection:
        assert queries.batch_by_id(connection, 1, batch.batch_id).size == 7
    assert slice_of(database, batch) == DeletedSlice(6, more=False)
    with database.read() as connection, pytest.raises(Gone):
        queries.batch_by_id(connection, 1, batch.batch_id)


def test_a_batch_with_unfinished_jobs_is_not_deleted(database: Database) -> None:
    batch = stored(database, SEVEN)
    with pytest.raises(IllegalMove, match="7 jobs of the batch are queued or running; cancel"):
        slice_of(database, batch)
    fails(database, claimed(database, worker_of(database)))
    assert slice_of(database, batch) == DeletedSlice(7, more=False)


def test_the_last_job_takes_its_batch_with_it(database: Database) -> None:
    batch = finished_batch(database, size=2)
    for left, job_id in zip((1, 0), ids_of(database, batch), strict=True):
        with database.begin() as connection:
            assert lifecycle.delete_job(connection, 1, job_id)
        assert len(ids_of(database, batch)) == left
    with database.read() as connection, pytest.raises(Gone, match=r"the batch .* was deleted"):
        queries.batch_by_id(connection, 1, batch.batch_id)


def test_the_key_of_a_deleted_batch_is_free_again(database: Database) -> None:
    first = stored(database, SEVEN, key="k")
    fails(database, claimed(database, worker_of(database)))
    slice_of(database, first)
    second = stored(database, SEVEN, key="k")
    assert (second.replayed, second.batch_id == first.batch_id) == (False, False)


@pytest.mark.slow
def test_a_slice_of_a_large_batch_holds_the_database_for_a_moment(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's other writers wait for it. The median, since a busy machine may stop any of them."""
    monkeypatch.setattr("gradyard.store.lifecycle.delete.SLICE_SECONDS", SLICE_SECONDS)
    batch = finished_batch(database, size=1_200)
    seconds, more = [], True
    while more:
        with database.begin() as connection:
            begin = time.monotonic()
            more = lifecycle.delete_batch_slice(connection, 1, batch.batch_id).more
        seconds.append(time.monotonic() - begin)
    assert len(seconds) > 1
    assert sorted(seconds)[len(seconds) // 2] < 0.25
