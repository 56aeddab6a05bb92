"""Jobs of a question are deleted or tagged: short transactions, one after another, from the newest job to the oldest.

What interrupts it leaves the other jobs as they were; the same request sent again goes on with them.
"""

import time
from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import Connection

from gradyard.jobs.submission.requests.changes import TagChanges
from gradyard.store.lifecycle.actions.asked import Tally
from gradyard.store.lifecycle.actions.delete import DeletedPart, delete_some
from gradyard.store.lifecycle.actions.tag import tag_some
from gradyard.store.queries.questions.pages import ids_asked
from service.actions.asked import AskedAction
from service.live.client_left import client_has_left

SLICE = 500  # jobs of one look
TAGGED_AT_ONCE = 250  # jobs of one transaction


def delete_all(action: AskedAction) -> None:
    """Delete the jobs of the question. It stops where the client of the request has left."""
    at_once = 1

    def delete(job_ids: Sequence[UUID]) -> Sequence[UUID]:
        nonlocal at_once
        last: list[DeletedPart] = []

        def change(connection: Connection) -> Tally:
            last.append(delete_some(connection, action.jobs, job_ids, at_once))
            return last[-1].tally

        action.write(change)
        at_once = last[-1].at_once
        return last[-1].left

    _in_slices(action, delete)


def tag_all(action: AskedAction) -> None:
    """Change the tags of the jobs of the question. It stops where the client of the request has left."""
    changes = TagChanges(action.request.tags or {})

    def tag(job_ids: Sequence[UUID]) -> Sequence[UUID]:
        action.write(lambda connection: tag_some(connection, action.jobs, job_ids[:TAGGED_AT_ONCE], changes))
        return job_ids[TAGGED_AT_ONCE:]

    _in_slices(action, tag)


def _in_slices(action: AskedAction, change: Callable[[Sequence[UUID]], Sequence[UUID]]) -> None:
    """Change the jobs of the question. `change` does it to some, in one transaction, and returns the others."""
    jobs, database, before = action.jobs, action.services.database, action.jobs.before
    while not client_has_left():
        with database.read() as connection:
            found = ids_asked(connection, jobs.project_id, jobs.question, limit=SLICE, before=before)
        left: Sequence[UUID] = found.ids
        while left and not client_has_left():
            begin = time.monotonic()
            left = change(left)
            if database.is_sqlite:  # its other writers look for a free moment only now and then
                time.sleep(time.monotonic() - begin)
        if found.looked_to is None:
            return
        before = found.looked_to
