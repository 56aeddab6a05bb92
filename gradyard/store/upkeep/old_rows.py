"""Rows that are forgotten after a time: idempotency keys, workers that ended, ids of deleted jobs and batches.

They are found without the lock of writers, and only what was found is deleted under it.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Double, bindparam, delete, exists, func, literal, select, tuple_
from sqlalchemy import cast as as_type

from gradyard.store.database import Database
from gradyard.store.dialects import clock_of, now
from gradyard.store.tables import Claim, DeletedBatch, DeletedJob, IdempotencyKey, JobSummary, Worker

SLICE = 500  # rows of one transaction

_before = now() - as_type(bindparam("seconds"), Double)
_found: Any = bindparam("found", expanding=True)

_key = tuple_(IdempotencyKey.project_id, IdempotencyKey.key)
_lives = JobSummary.state.is_(None)
_is_old_key = (
    IdempotencyKey.created_at < _before,
    ~exists().where(JobSummary.job_id == IdempotencyKey.job_id, _lives),
    ~exists().where(JobSummary.batch_id == IdempotencyKey.batch_id, _lives),
)
_old_keys = select(IdempotencyKey.project_id, IdempotencyKey.key).where(*_is_old_key).limit(SLICE)
_forget_keys = delete(IdempotencyKey).where(_key.in_(_found), *_is_old_key)

_is_old_worker = (Worker.lease_until < _before, ~exists().where(Claim.worker_id == Worker.id))
_old_workers = select(Worker.id).where(*_is_old_worker).limit(SLICE)
_forget_workers = delete(Worker).where(Worker.id.in_(_found), *_is_old_worker)


def forget_keys(database: Database, hours: float) -> int:
    """Delete idempotency keys older than `hours` whose jobs are finished or deleted. Returns how many."""
    return sum(_forget(database, _old_keys, _forget_keys, seconds=3600 * hours))


def forget_workers(database: Database, seconds: float) -> int:
    """Delete workers without a claim whose leases ended that many seconds ago. Returns how many."""
    return sum(_forget(database, _old_workers, _forget_workers, seconds=seconds))


def forget_deleted_ids(database: Database, days: float, most: int) -> Iterator[None]:
    """Forget which jobs and batches were deleted that many days ago, and of the others all but the newest `most`.

    From then on such an id is one that never was. It stops after each short transaction.
    """
    for table in (DeletedJob, DeletedBatch):
        moment, last = _newest_forgotten(database, table, 86_400 * days, most)
        old = tuple_(table.deleted_at, table.id) <= tuple_(literal(moment), literal(last, table.id.type))
        look, forget = select(table.id).where(old).limit(SLICE), delete(table).where(table.id.in_(_found), old)
        for _ in _forget(database, look, forget):
            yield


def _newest_forgotten(
    database: Database, table: type[DeletedJob | DeletedBatch], seconds: float, most: int
) -> tuple[float, UUID]:
    """A place in the order of deleted_at and id, up to which ids are forgotten.

    It is a row's own moment, not an age: an age told to a later clock, or rounded, means another row. Many have one
    moment, hence the id.
    """
    newest_first = select(table.deleted_at).order_by(table.deleted_at.desc())  # an index has the moments alone
    with database.snapshot() as connection:
        too_old = (clock_of(connection) - seconds, UUID(int=0))
        moment = connection.execute(newest_first.offset(most).limit(1)).scalar()
        if moment is None or moment <= too_old[0]:
            return too_old
        newer = connection.execute(select(func.count()).where(table.deleted_at > moment)).scalar_one()
        of_moment = select(table.id).where(table.deleted_at == moment).order_by(table.id.desc())
        return moment, connection.execute(of_moment.offset(most - newer).limit(1)).scalar_one()


def _forget(database: Database, look: Any, forget: Any, **values: float) -> Iterator[int]:
    """Forget such rows, and tell after each transaction how many it were."""
    while True:
        with database.read() as connection:
            rows = connection.execute(look, values).all()
        if not rows:
            return
        found = [tuple(row) if len(row) > 1 else row[0] for row in rows]
        with database.begin() as connection:
            gone = connection.execute(forget, {**values, "found": found}).rowcount
        yield gone
        if not gone:  # others were faster
            return
