"""The cancel of a whole batch: short transactions, one after another, until none of its jobs waits or runs."""

import time
from functools import partial
from uuid import UUID

from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import CancelledSlice
from gradyard.store.silent import past_silent
from service.live.client_left import client_has_left
from service.live.watcher import Watcher

CANCEL_SECONDS = 0.7  # a worker has this long to let go of a cancelled job; then the service moves it


def cancel_whole_batch(database: Database, watcher: Watcher, batch_id: UUID, *, actor: str) -> None:
    """Cancel the queued jobs of a batch at once, and those that run as soon as their workers let go of them.

    Raises DatabaseUnavailable where some stay locked. It stops where the client of the request has left.
    """
    give_up_at, done = time.monotonic() + CANCEL_SECONDS, CancelledSlice(0, more=True)
    move_silent = partial(lifecycle.move_silent_batch, batch_id=batch_id, actor=actor)
    rounds = 0
    while done.more and not client_has_left():
        # Rows that are locked wait for the end of all others; then they are waited for.
        wait = rounds > 0 and not done.jobs
        cancel = partial(lifecycle.cancel_some, batch_id=batch_id, actor=actor, wait=wait)
        done, rounds = past_silent(database, cancel, batch_id=batch_id), rounds + 1
        if done.more and time.monotonic() > give_up_at:  # in a large batch, the first jobs do not wait for the last
            past_silent(database, move_silent, batch_id=batch_id)
    seconds_left = max(0.0, give_up_at - time.monotonic())
    if not watcher.batch_is_released(batch_id, seconds_left):
        past_silent(database, move_silent, batch_id=batch_id)
