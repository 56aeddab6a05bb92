"""How long single jobs of one project wait while a batch of 100,000 of another is queued.

python -m bench.fairness
"""

import os
import tempfile
import time
from pathlib import Path
from uuid import UUID

import httpx
import numpy as np
import orjson
from sqlalchemy import insert, select

from bench.report import Row, table, write_results
from bench.service import service
from jobs import lifecycle
from jobs.database import Database
from jobs.intake import take_in
from jobs.settings import load
from jobs.tables import Job, Project

BATCH, SINGLES, EVERY_SECONDS = 100_000, 60, 1.0
LIMIT_SECONDS = 30.0
OTHER = 2
NOTES = f"""{BATCH:,} `autograd` jobs (2,000 steps on 2,000 points) of one project wait; then a job of another is
submitted every {EVERY_SECONDS:g} s, {SINGLES} in all, of a shape of its own, so that it rides in no pack of the batch.
The wait is from its submission to its claim, by the database's clock; SQLite. In order of submission the last would
wait for the whole batch."""


def main() -> None:
    """Measure, print, and write the results down."""
    load_average, _, _ = os.getloadavg()
    rows = [_measure(slots) for slots in (1, 2)]
    print(table(rows))
    write_results("Fairness", "python -m bench.fairness", NOTES, load_average, rows)


def _measure(slots: int) -> Row:
    with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as folder:
        with service(cpu_slots=slots, folder=Path(folder)) as client:
            sweep = {"spec": {"stage": "autograd"}, "grid": {"seed": {"stop": BATCH}}}
            answer = client.post("/v1/batches", json=sweep, timeout=120).raise_for_status()
            database = Database(f"sqlite:///{Path(folder) / 'gradyard.db'}")
            waits = _waits(database)
            left = _waiting(client, answer.headers["Location"])
            database.close()
    middle, late = np.quantile(waits, [0.5, 0.99])
    measured = f"p50 {middle:.1f} s, p99 {late:.1f} s of {len(waits)}; {left:,} of the batch still waited at the end"
    return Row(f"{slots} slots", measured, f"p99 <= {LIMIT_SECONDS:g} s", bool(late <= LIMIT_SECONDS and left > 0))


def _waits(database: Database) -> list[float]:
    with database.begin() as connection:
        connection.execute(insert(Project).values(id=OTHER, name="other"))
    ids = []
    for number in range(SINGLES):
        intake = take_in(orjson.dumps({"stage": "autograd", "steps": 1999, "seed": number}), load())
        with database.begin() as connection:
            made = lifecycle.submit(connection, intake, project_id=OTHER, actor="bench", max_queued=BATCH)
        ids.append(made.job_id)
        time.sleep(EVERY_SECONDS)
    return [_wait(database, job) for job in ids]


def _wait(database: Database, job: UUID) -> float:
    query = select(Job.submitted_at, Job.started_at).where(Job.id == job)
    until = time.monotonic() + 2 * LIMIT_SECONDS
    while True:
        with database.read() as connection:
            row = connection.execute(query).one()
        if row.started_at is not None:
            return float(row.started_at - row.submitted_at)
        if time.monotonic() > until:
            return float("inf")
        time.sleep(0.1)


def _waiting(client: httpx.Client, location: str) -> int:
    return int(client.get(location).json()["counts"]["queued"])


if __name__ == "__main__":
    main()
