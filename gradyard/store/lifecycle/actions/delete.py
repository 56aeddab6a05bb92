"""Jobs of a question are deleted: those that have ended and are not pinned."""

import time
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, select

from gradyard.jobs.states import FINISHED
from gradyard.store.lifecycle.actions.asked import AskedJobs, Tally, still_asked
from gradyard.store.lifecycle.delete import SLICE_SECONDS, delete_ended
from gradyard.store.tables import Job

UNFINISHED, PINNED, BUSY = "unfinished", "pinned", "busy"
MOST_AT_ONCE = 250  # jobs of one statement


class DeletedPart(NamedTuple):
    """What a transaction did, the jobs that it did not come to, and how many the next one may delete at once."""

    tally: Tally
    left: Sequence[UUID]
    at_once: int


def delete_some(connection: Connection, asked: AskedJobs, job_ids: Sequence[UUID], at_once: int) -> DeletedPart:
    """Delete some of these jobs, in about SLICE_SECONDS. at_once: so many by the first statement."""
    begin = time.monotonic()
    ids, skipped = still_asked(connection, asked, job_ids)
    done = 0
    while ids:
        part, ids = ids[:at_once], ids[at_once:]
        deleted = set(delete_ended(connection, asked.project_id, part))
        done += len(deleted)
        if left := [job_id for job_id in part if job_id not in deleted]:
            for row in connection.execute(select(Job.state, Job.pinned).where(Job.id.in_(left))):
                skipped[UNFINISHED if row.state not in FINISHED else PINNED if row.pinned else BUSY] += 1
        if time.monotonic() - begin > SLICE_SECONDS:
            at_once = max(1, at_once // 2)
            break
        at_once = min(2 * at_once, MOST_AT_ONCE)  # jobs differ in size: a curve has 4 bytes or 80 MB
    return DeletedPart(Tally(done, skipped), ids, at_once)
