"""What happened how often, for those who watch a fleet. Each row has one writer, so nobody waits for a counter."""

from collections.abc import Mapping

from sqlalchemy import Connection

from gradyard.store.database import insert_or_add
from gradyard.store.tables import Counter

PACK_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
"""A pack counts in the first of these that it is not wider than, as `packs_of_N`; a wider one as `packs_of_more`."""


def count(connection: Connection, counted_by: str, happened: Mapping[str, int]) -> None:
    """Add what happened to the counters of SLOT@HOST or maintenance@HOST."""
    rows = [{"name": name, "counted_by": counted_by, "total": number} for name, number in happened.items() if number]
    if rows:
        connection.execute(insert_or_add(connection, Counter, "total"), rows)


def size_counter(width: int) -> str:
    """The counter of packs of that width."""
    return f"packs_of_{next((size for size in PACK_SIZES if width <= size), 'more')}"
