"""Exports of a batch of 2,000-step curves through the whole service, on SQLite and on PostgreSQL.

python -m bench.exports
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

import httpx
import numpy as np

import migrations
from bench.report import Row, table, write_results
from bench.service import service
from gradyard.jobs.curves import Summary
from gradyard.jobs.exports import CONTENT_TYPES, Form
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import Outcome, Progress
from tests.actors import claimed, worker_of
from tests.servers import PostgresServer

JOBS, STEPS, ROUNDS, TARGET = 8_000, 2000, 7, 20_000
FORMS = (
    ("Parquet, lists", Form.PARQUET, "curves=list", TARGET), ("Arrow, lists", Form.ARROW, "curves=list", None),
    ("NDJSON, lists in base64", Form.NDJSON, "curves=list&losses=base64", TARGET),
    ("NDJSON, lists of numbers", Form.NDJSON, "curves=list", None), ("CSV, no curves", Form.CSV, "curves=none", None),
)  # fmt: skip
NOTES = f"""Jobs a second of an export of {JOBS:,} jobs with {STEPS:,} float32 losses each, from the request to the last
byte, read by httpx on the same machine. {ROUNDS} rounds; median (least-most)."""


def main() -> None:
    """Measure on both databases, print, and write the results down."""
    load, _, _ = os.getloadavg()
    rows = [row for kind in ("sqlite", "postgresql") for row in _measured(kind)]
    print(table(rows))
    write_results("Exports", "python -m bench.exports", NOTES, load, rows)


def _measured(kind: str) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as folder, _database(kind, Path(folder)) as url:
        with service(cpu_slots=1, folder=Path(folder), database_url=url) as client:
            batch = _filled(client, url)
            for what, form, query, least in FORMS:
                rates = [_rate(client, batch, form, query) for _ in range(ROUNDS)]
                measured = f"{median(rates):,.0f} ({min(rates):,.0f}-{max(rates):,.0f})"
                met = None if least is None else median(rates) >= least
                yield Row(f"{what}, {kind}", measured, f">= {least:,}" if least else "-", met)


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "postgresql":
        with PostgresServer.start() as server:
            yield server.clone("exports")
        return
    url = f"sqlite:///{folder / 'gradyard.db'}"
    migrations.upgrade(url)
    yield url


def _filled(client: httpx.Client, url: str) -> str:
    """A batch of jobs that have ended, stored as a worker would; the service's own slot has another stage's pool."""
    spec = {"stage": "autograd", "steps": STEPS, "pool": "bench", "tags": {"course": "w3"}}
    sweep = {"spec": spec, "grid": {"learning_rate": [1e-6, 1e-7], "seed": {"stop": JOBS // 2}}}
    batch: str = client.post("/v1/batches", json=sweep).raise_for_status().json()["id"]
    database, losses, left = Database(url), np.random.default_rng(0).random(STEPS, np.float32), JOBS
    worker = replace(worker_of(database, "bench", lease=600.0), pool="bench")
    summary = Summary(train_seconds=1.0, records=1)
    summary.take(losses, 0)
    while left:
        claim = claimed(database, worker, 600.0)
        with database.begin() as connection:
            lifecycle.record_all(connection, [Progress(each.held, 0, losses, summary) for each in claim.members])
            for each in claim.members:
                lifecycle.succeed(connection, each.held, Outcome({"a": 0.5}, "y = 0.5", {}), actor="bench")
            lifecycle.release(connection, claim.id, actor="bench")
        left -= len(claim.members)
    database.close()
    return batch


def _rate(client: httpx.Client, batch: str, form: Form, query: str) -> float:
    began, size = time.perf_counter(), 0
    headers = {"Accept": CONTENT_TYPES[form]}
    with client.stream("GET", f"/v1/batches/{batch}/export?{query}", headers=headers) as answer:
        answer.raise_for_status()
        for block in answer.iter_raw():
            size += len(block)
    assert size > JOBS * 10
    return JOBS / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
