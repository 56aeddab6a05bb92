"""Transactions whose process fell silent in the middle: stopped, or behind a cut cable. Their locks hold up others.

PostgreSQL ends such a transaction by itself after `SILENT_TRANSACTION_SECONDS`. A cancel may not wait for so long and
ends it at once. The fence makes that safe: a process that wakes up finds its transaction gone and its job moved on.
SQLite has one lock for all, which `workers/stopped_writer.py` looks after.
"""

import time
from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.store.database import SILENT_TRANSACTION_SECONDS, Database

LOCK_SECONDS = 0.2  # of the second that a cancel may take


def past_silent(
    database: Database, write: Callable[[Connection], Any], *, job_id: UUID | None = None, batch_id: UUID | None = None,
    job_ids: Collection[UUID] = (),
) -> Any:  # fmt: skip
    """Do `write` in one transaction and return its result. End silent transactions that have locked these jobs.

    It waits for a lock for `LOCK_SECONDS` at a time, so `write` may run more than once. A transaction that is at work
    is waited for. Raises DatabaseUnavailable where the jobs stay locked for `SILENT_TRANSACTION_SECONDS`. On SQLite it
    waits as every write does.
    """
    give_up_at = time.monotonic() + SILENT_TRANSACTION_SECONDS
    while True:
        try:
            with database.begin(LOCK_SECONDS) as connection:
                return write(connection)
        except DatabaseUnavailable:
            if database.is_sqlite or time.monotonic() > give_up_at:
                raise
        with database.begin(LOCK_SECONDS) as connection:
            locked = list(job_ids) if job_id is None else [job_id]
            connection.execute(_end_silent, {"jobs": locked, "batch": batch_id, "seconds": LOCK_SECONDS})


# `xmax` of a row is the transaction that has locked or changed it; the server shows the state of our own role's
# sessions alone, and lets us end no others.
_end_silent = text("""
    SELECT pg_terminate_backend(session.pid)
    FROM jobs
    JOIN pg_locks AS held ON held.locktype = 'transactionid' AND held.granted AND held.transactionid = jobs.xmax
    JOIN pg_stat_activity AS session ON session.pid = held.pid
    WHERE (jobs.id = ANY(CAST(:jobs AS uuid[]))
           OR jobs.batch_id = CAST(:batch AS uuid) AND jobs.state = 'queued'
           OR jobs.batch_id = CAST(:batch AS uuid) AND jobs.state = 'running')
    AND session.usename = current_user AND session.state LIKE 'idle in transaction%'
    AND session.state_change < clock_timestamp() - make_interval(secs => :seconds)
""")
