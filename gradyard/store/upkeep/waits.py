"""Waits of jobs for other jobs end: they are decided, then their jobs released or failed, in short transactions."""

import time
from collections import Counter

from gradyard.store.database import Database
from gradyard.store.lifecycle.dependencies.decide import (
    decide_forgotten,
    decide_some,
    waits_forgotten,
    waits_to_decide,
)
from gradyard.store.lifecycle.dependencies.release import fail_without_wait, lacks_wait, move_some, waits_to_end


def end_waits(database: Database, seconds: float, *, actor: str) -> Counter[str]:
    """End the waits that are over, for about so long at most. Returns how many jobs may be claimed by that, by queue.

    It reads first: where nothing ended that others wait for, nothing is locked. What is left, because the time is over
    or this process dies, is found by the next call, of any process.
    """
    released: Counter[str] = Counter()
    until = time.monotonic() + seconds
    while True:
        with database.snapshot() as connection:
            to_decide, to_end = waits_to_decide(connection), waits_to_end(connection)
        decided = moved = False
        if to_decide:
            with database.begin() as connection:
                decided = decide_some(connection)
        if decided or to_end:
            with database.begin() as connection:
                part = move_some(connection, actor=actor)
            released, moved = released + part.released, part.more
        if time.monotonic() > until or not (decided or moved):
            return released


def end_forgotten_waits(database: Database) -> None:
    """End what no mark tells of: it reads first, and writes in slices.

    Those are waits of jobs that were cancelled, for a batch that was deleted before its end was heard of; and after an
    older version beside this one, waits for what it deleted or retried, and jobs whose waits a way back took away.
    """
    for is_there, end_some in ((waits_forgotten, decide_forgotten), (lacks_wait, fail_without_wait)):
        more = True
        while more:
            with database.read() as connection:
                more = is_there(connection)
            if more:
                with database.begin() as connection:
                    more = end_some(connection)
