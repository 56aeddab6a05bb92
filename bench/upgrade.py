"""An upgrade of a million jobs to summaries while an older version writes: how long it takes, how long writers wait.

python -m bench.upgrade [JOBS]
"""

import argparse
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, insert, inspect, select, text
from sqlalchemy import Table as SqlTable

import migrations
from bench.copied_jobs import a_database, fill
from bench.report import Row, table, write_results
from gradyard.jobs.identifiers import new_id
from gradyard.store.database import Database
from gradyard.store.tables import Job

BEFORE, LAST_BESIDE = "0019_pre", "0021_pre"
PAUSE_SECONDS = 0.02  # of a writer, between two jobs
LONGEST_WAIT_SECONDS = 1.0
NOTES = """Finished jobs in the tables of the version before summaries. One thread stores and ends a job every 20 ms, as
that version does, while `gradyard db upgrade` makes the new tables, their indexes and the summary of every job. The
longest wait is that of one of its transactions. Then it stops, and `--post` drops the indexes that are not needed."""


def main() -> None:
    """Measure, print, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", nargs="?", type=int, default=1_000_000)
    count = parser.parse_args().jobs
    load, _, _ = os.getloadavg()
    rows: list[Row] = []
    for name in ("sqlite", "postgresql"):
        with a_database(name) as url:
            rows += _measure(name, url, count)
    print(table(rows))
    write_results("Upgrade to summaries", "python -m bench.upgrade", NOTES, load, rows)


def _measure(name: str, url: str, count: int) -> Iterator[Row]:
    database = Database(url, lock_timeout_seconds=60.0)
    fill(database, count)
    database.close()
    migrations.downgrade(url, BEFORE)
    with older_writer(database) as waited:
        beside = _seconds(lambda: migrations.upgrade(url, LAST_BESIDE))
    database.close()
    post = _seconds(lambda: migrations.upgrade(url))
    longest, transactions = max(waited), len(waited)
    yield Row(f"{name}, {count:,} jobs: the upgrade beside a writer", f"{beside:.0f} s, then {post:.1f} s of --post")
    yield Row(f"{name}, {count:,} jobs: the longest wait of {transactions:,} transactions", f"{longest:.2f} s",
              f"<= {LONGEST_WAIT_SECONDS:g} s", longest <= LONGEST_WAIT_SECONDS)  # fmt: skip


def _seconds(act: Any) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


@contextmanager
def older_writer(database: Database) -> Iterator[list[float]]:
    """A thread that stores and ends jobs without summaries; the seconds of each of its transactions."""
    with database.read() as connection:
        like = _columns_of_a_job(connection)
    finished, waited = threading.Event(), list[float]()

    def write() -> None:
        while not finished.wait(PAUSE_SECONDS):
            job = like | {"id": new_id(), "state": "queued", "finished_at": None, "reason": None}
            waited.append(_seconds(lambda job=job: _store(database, job)))
            waited.append(_seconds(lambda job=job: _end(database, job)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield waited
    finally:
        finished.set()
        writer.join()


def _columns_of_a_job(connection: Connection) -> dict[str, Any]:
    known = {column["name"] for column in inspect(connection).get_columns("jobs")}
    columns = [column for column in _jobs().columns if column.name in known]
    row = connection.execute(select(*columns).limit(1)).one()._mapping
    return {column.key: row[column] for column in columns}


def _jobs() -> SqlTable:
    jobs: Any = Job.__table__
    return jobs


def _store(database: Database, job: dict[str, Any]) -> None:
    with database.begin() as connection:
        connection.execute(insert(_jobs()).values(job))


def _end(database: Database, job: dict[str, Any]) -> None:
    key = job["id"].hex if database.is_sqlite else job["id"]
    with database.begin() as connection:
        end = "UPDATE jobs SET state = 'cancelled', finished_at = 7.0 WHERE id = :job"
        connection.execute(text(end), {"job": key})


if __name__ == "__main__":
    main()
