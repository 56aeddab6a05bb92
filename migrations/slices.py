"""Fills rows in after a step: some jobs in each transaction, beside writers."""

import time
from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import Connection

from gradyard.store.database import Database


def fill_in_slices(
    database: Database,
    next_ids: Callable[[UUID | None], Sequence[UUID]],
    fill: Callable[[Connection, Sequence[UUID]], None],
) -> None:
    """Call `fill` for some jobs after others, each time in a transaction of its own, until none lacks anything.

    next_ids: the next jobs after this id, in the order of their ids; none at the end.
    """
    after: UUID | None = None
    while ids := next_ids(after):
        began = time.monotonic()
        with database.begin() as connection:
            fill(connection, ids)
        if database.is_sqlite:  # its other writers ask again and again, so they need a time without this one
            time.sleep(time.monotonic() - began)
        after = ids[-1]
