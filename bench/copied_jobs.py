"""One job, copied a million times by the database itself, for benchmarks of the tables' own work."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

import migrations
from gradyard.jobs.settings import load
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.summaries import FINAL
from gradyard.store.tables import Job
from tests.servers import PostgresServer

BATCHES = 100
FAILED = "n % 20 = 0"


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
        "id": uuid_of("n", connection), "batch_id": uuid_of(f"n % {BATCHES}", connection),
        "stage": f"CASE WHEN n % 1000 = 0 THEN '{rare}' ELSE CASE n % {len(frequent)} {stages} END END",
        "state": f"CASE WHEN {FAILED} THEN 'failed' WHEN n % 20 = 1 THEN 'cancelled' ELSE 'succeeded' END",
        "reason": f"CASE WHEN {FAILED} THEN 'error' END",
        "submitted_at": "jobs.submitted_at + n", "finished_at": "jobs.submitted_at + n",
    }  # fmt: skip
    return values.get(column, f"jobs.{column}")


def uuid_of(number: str, connection: Connection) -> str:
    """An id in SQL, of a number in SQL."""
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
