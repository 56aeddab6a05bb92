"""Jobs of a question are cancelled as a batch is: those that wait in short transactions, those that run by marks.

What interrupts it leaves the other jobs as they were; the same request sent again goes on with them.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from gradyard.store.lifecycle.actions.asked import CHANGED, OF_OTHERS, Tally
from gradyard.store.lifecycle.actions.cancel import (
    CancelledPart,
    cancel_part,
    cancelled_of,
    count_live,
    live_asked,
    move_silent_of,
)
from gradyard.store.lifecycle.batches import SLICE
from gradyard.store.silent import past_silent
from service.actions.asked import AskedAction
from service.batch_cancel import CANCEL_SECONDS
from service.live.client_left import client_has_left

FINISHED = "finished"


def cancel_all(action: AskedAction) -> None:
    """Cancel the queued jobs of the question at once, and those that run as soon as their workers let go of them.

    Raises DatabaseUnavailable where some stay locked. It stops where the client of the request has left.
    """
    give_up_at, marked, wait = time.monotonic() + CANCEL_SECONDS, list[UUID](), False
    finished, others = _finished(action), _of_others(action)
    while not client_has_left() and (live := _live(action)):
        begun = action.tally.done
        for ids in _parts(live):
            marked += _cancel(action, ids, wait)
            if time.monotonic() > give_up_at:  # of very many, the first jobs do not wait for the last
                _move_silent(action, marked)
            if client_has_left():
                break
        wait = action.tally.done == begun  # rows that are locked wait for the end of all others
    seconds_left = max(0.0, give_up_at - time.monotonic())
    if marked and not action.services.watcher.jobs_end(action.jobs.project_id, marked, seconds_left):
        _move_silent(action, marked)
    finished += _correct(action, marked)
    changed = action.count - action.tally.done - finished - others
    action.tally += Tally(0, +Counter({FINISHED: finished, OF_OTHERS: others, CHANGED: changed}))


def _live(action: AskedAction) -> list[UUID]:
    with action.services.database.read() as connection:
        return live_asked(connection, action.jobs)


def _finished(action: AskedAction) -> int:
    """How many of the jobs had ended at the begin."""
    with action.services.database.read() as connection:
        return max(0, action.count - count_live(connection, action.jobs))


def _of_others(action: AskedAction) -> int:
    """How many of the jobs that could be cancelled are left alone, since others submitted them."""
    if action.jobs.submitter is None:
        return 0
    with action.services.database.read() as connection:
        of_all = live_asked(connection, replace(action.jobs, submitter=None))
        return len(of_all) - len(live_asked(connection, action.jobs))


def _parts(job_ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for begin in range(0, len(job_ids), SLICE):
        yield job_ids[begin : begin + SLICE]


def _cancel(action: AskedAction, job_ids: Sequence[UUID], wait: bool) -> list[UUID]:
    """Cancel or mark these jobs in one transaction, and return those that are marked."""
    last: list[CancelledPart] = []

    def change(connection: Connection) -> Tally:
        last.append(cancel_part(connection, action.jobs, job_ids, wait=wait))
        return Tally(len(last[-1].cancelled) + len(last[-1].marked))

    action.write(change, partial(past_silent, action.services.database, job_ids=job_ids))
    return last[-1].marked


def _move_silent(action: AskedAction, marked: Sequence[UUID]) -> None:
    for ids in _parts(marked):
        move = partial(move_silent_of, job_ids=ids, actor=action.jobs.actor)
        past_silent(action.services.database, move, job_ids=ids)


def _correct(action: AskedAction, marked: Sequence[UUID]) -> int:
    """Take back that jobs were cancelled which came to their own end before their workers saw the mark: so many."""
    with action.services.database.read() as connection:
        cancelled = sum(cancelled_of(connection, ids) for ids in _parts(marked))
    if cancelled < len(marked):
        action.write(lambda _: Tally(cancelled - len(marked)))
    return len(marked) - cancelled
