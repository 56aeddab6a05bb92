"""Rows that are forgotten after a time: idempotency keys, workers that ended.

They are found without the lock of writers, and only what was found is deleted under it.
"""

from typing import Any

from sqlalchemy import Double, bindparam, delete, exists, select, tuple_
from sqlalchemy import cast as as_type

from gradyard.store.database import Database
from gradyard.store.dialects import now
from gradyard.store.tables import Claim, IdempotencyKey, JobSummary, Worker

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
    return _forget(database, _old_keys, _forget_keys, 3600 * hours)


def forget_workers(database: Database, seconds: float) -> int:
    """Delete workers without a claim whose leases ended that many seconds ago. Returns how many."""
    return _forget(database, _old_workers, _forget_workers, seconds)


def _forget(database: Database, look: Any, forget: Any, seconds: float) -> int:
    forgotten = 0
    while True:
        with database.read() as connection:
            rows = connection.execute(look, {"seconds": seconds}).all()
        if not rows:
            return forgotten
        found = [tuple(row) if len(row) > 1 else row[0] for row in rows]
        with database.begin() as connection:
            gone = connection.execute(forget, {"seconds": seconds, "found": found}).rowcount
        forgotten += gone
        if not gone:  # others were faster
            return forgotten
