"""Counters. Those of workers and maintenance have one writer each, so none of them waits for a counter."""

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, func, select, update

from gradyard.store.dialects import insert_or_add
from gradyard.store.fleet.workers import WorkerInfo
from gradyard.store.tables import Counter, Worker

PACK_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
"""Packs are counted as `packs_of_N`, N the first of these sizes that is not smaller; beyond, as `packs_of_more`."""


def count(connection: Connection, counted_by: str, happened: Mapping[str, int]) -> None:
    """Add to counters, by name, of SLOT@HOST, of maintenance@HOST or of a kind of requests."""
    rows = [{"name": name, "counted_by": counted_by, "total": number} for name, number in happened.items() if number]
    if rows:
        connection.execute(insert_or_add(connection, Counter, "total"), rows)


def count_report(connection: Connection, worker: WorkerInfo, number: int, happened: Mapping[str, int]) -> None:
    """Add what a worker reports to its counters, once: a worker that lost the answer to its commit repeats it."""
    if not happened:
        return
    about = {"of_worker": worker.id, "report": number}
    if connection.execute(_note_report, about).rowcount or connection.execute(_row, about).first() is None:
        count(connection, str(worker.address), happened)


_row = select(Worker.id).where(Worker.id == bindparam("of_worker"))
_note_report = (
    update(Worker)
    .where(Worker.id == bindparam("of_worker"), func.coalesce(Worker.counted_reports, 0) < bindparam("report"))
    .values(counted_reports=bindparam("report"))
)


def pack_counter(width: int) -> str:
    """The name of the counter of packs of that width."""
    return f"packs_of_{next((size for size in PACK_SIZES if width <= size), 'more')}"
