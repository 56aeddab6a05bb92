"""The time of one page of the list of a million jobs, with every filter.

python -m bench.pages [JOBS]
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from random import Random
from uuid import UUID

import numpy as np
from flask.testing import FlaskClient
from sqlalchemy import Connection, text

import migrations
from bench.report import Row, table, write_results
from gradyard.jobs.settings import load
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.states import State
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.queries.jobs import cursor_after
from gradyard.store.summaries import FINAL
from gradyard.store.tables import Job
from service.app import create_app
from tests.servers import PostgresServer

ASKED = 100  # pages of each filter
WARM_UP_PAGES = 20  # the first pages of a process load code and schema
MOST_MS = {"sqlite": 10.0, "postgresql": 20.0}
BATCHES = 100
FAILED = "n % 20 = 0"
NOTES = f"""`GET /v1/jobs?limit=50` of the app without a network: the first page, and pages from random places of the
list. The filters are every state, every stage, every pair of both, and a batch, alone and with a state, a stage or
both. Nine jobs of ten succeeded, and none is queued; the rarest stage has one job in a thousand. {ASKED} pages of each
filter, after {WARM_UP_PAGES} to warm up; p50 and p99 over all filters, and of the slowest one."""


def main() -> None:
    """Measure, print, and write the results down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", nargs="?", type=int, default=1_000_000)
    count = parser.parse_args().jobs
    load_average, _, _ = os.getloadavg()
    rows: list[Row] = []
    for name in MOST_MS:
        with a_database(name) as url:
            rows += _measure(name, url, count)
    print(table(rows))
    write_results("Pages", "python -m bench.pages", NOTES, load_average, rows)


def _measure(name: str, url: str, count: int) -> Iterator[Row]:
    database = Database(url)
    began = time.monotonic()
    fill(database, count)
    print(f"{name}: {count:,} jobs in {time.monotonic() - began:.0f} s", flush=True)
    app = create_app(load(database_url=url, admin_key=None, log_level="ERROR"))
    random = Random(0)
    for _ in range(WARM_UP_PAGES):
        _seconds(app.test_client(), {}, count, random)
    took = {label: [_seconds(app.test_client(), params, count, random) for _ in range(ASKED)]
            for label, params in _filters().items()}  # fmt: skip
    slowest = max(took, key=lambda label: np.quantile(took[label], 0.99))
    every = np.concatenate([np.array(each) for each in took.values()])
    for what, seconds in ((f"{len(took)} filters", every), (f"the slowest: {slowest}", np.array(took[slowest]))):
        middle, late = 1000 * np.quantile(seconds, [0.5, 0.99])
        yield Row(f"{name}, {count:,} jobs, {what}", f"p50 {middle:.1f} ms, p99 {late:.1f} ms",
                  f"p99 <= {MOST_MS[name]:g} ms", bool(late <= MOST_MS[name]))  # fmt: skip
    database.close()


def _seconds(client: FlaskClient, params: dict[str, str], count: int, random: Random) -> float:
    if random.random() < 0.7:
        params = params | {"cursor": cursor_after(UUID(int=random.randrange(count)))}
    began = time.perf_counter()
    answer = client.get("/v1/jobs", query_string=params | {"limit": "50"})
    seconds = time.perf_counter() - began
    assert answer.status_code == 200, answer.text
    return seconds


def _filters() -> dict[str, dict[str, str]]:
    states, stages = [None, *State], [None, *STAGES]
    found: dict[str, dict[str, str]] = {}
    for state, stage in product(states, stages):
        chosen = {name: str(value) for name, value in (("state", state), ("stage", stage)) if value is not None}
        found[" ".join(chosen.values()) or "all"] = chosen
    batch = str(UUID(int=BATCHES // 2))
    of_batch = {"": {}, ", failed": {"state": "failed"}, ", rare stage": {"stage": "dynamic"},
                ", stage": {"stage": "tensor"}, ", stage, failed": {"stage": "tensor", "state": "failed"},
                ", rare stage, succeeded": {"stage": "dynamic", "state": "succeeded"}}  # fmt: skip
    return found | {f"batch{name}": {"batch": batch} | more for name, more in of_batch.items()}


def fill(database: Database, count: int) -> None:
    """Let the database copy one job `count` times: ids in order, with mixed states, stages and batches."""
    with database.begin() as connection:
        parsed = parse_job(b'{"stage": "tensor"}', load())
        template = lifecycle.submit(connection, parsed, project_id=1, actor="bench", max_queued=1).job_id
        columns = [column.name for column in Job.__table__.columns]
        names, copied = ", ".join(columns), ", ".join(_value(each, connection) for each in columns)
        series = "SELECT value AS n FROM generate_series(1, :count) AS value"
        if database.is_sqlite:
            series = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < :count) SELECT n FROM s"
        insert = f"INSERT INTO jobs ({names}) SELECT {copied} FROM jobs, ({series}) AS s WHERE jobs.id = :template"
        key = template.hex if database.is_sqlite else template
        connection.execute(text("UPDATE jobs SET loss_first = 2, loss_last = 1, loss_min = 1, loss_min_step = 9"))
        connection.execute(text(insert), {"count": count, "template": key})
        connection.execute(text("DELETE FROM jobs WHERE id = :template"), {"template": key})
        copied = ", ".join(("project_id", "batch_id", "stage", "submitted_at", "steps", *FINAL))
        connection.execute(text(f"INSERT INTO summaries (job_id, {copied}) SELECT id, {copied} FROM jobs"))
    if not database.is_sqlite:  # PostgreSQL must learn how its tables have grown
        with database.begin() as connection:
            connection.execute(text("ANALYZE"))


def _value(column: str, connection: Connection) -> str:
    *frequent, rare = STAGES
    stages = " ".join(f"WHEN {number} THEN '{name}'" for number, name in enumerate(frequent))
    values = {
        "id": _uuid("n", connection), "batch_id": _uuid(f"n % {BATCHES}", connection),
        "stage": f"CASE WHEN n % 1000 = 0 THEN '{rare}' ELSE CASE n % {len(frequent)} {stages} END END",
        "state": f"CASE WHEN {FAILED} THEN 'failed' WHEN n % 20 = 1 THEN 'cancelled' ELSE 'succeeded' END",
        "reason": f"CASE WHEN {FAILED} THEN 'error' END",
        "submitted_at": "jobs.submitted_at + n", "finished_at": "jobs.submitted_at + n",
    }  # fmt: skip
    return values.get(column, f"jobs.{column}")


def _uuid(number: str, connection: Connection) -> str:
    if connection.dialect.name == "sqlite":
        return f"printf('%032x', {number})"
    return f"lpad(to_hex({number}), 32, '0')::uuid"


@contextmanager
def a_database(name: str) -> Iterator[str]:
    if name == "sqlite":
        with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as folder:
            url = f"sqlite:///{Path(folder) / 'gradyard.db'}"
            migrations.upgrade(url)
            yield url
    else:
        with PostgresServer.start() as server:
            yield server.clone("pages")


if __name__ == "__main__":
    main()
