"""Claims, lost leases, looks, queues and releases beside many jobs that wait for others, and beside few.

python -m bench.blocked        (BLOCKED=20000 for fewer)
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from sqlalchemy import Connection, select, text, update

from bench.copied_jobs import a_database, uuid_of
from bench.no_op_jobs import register
from bench.report import Row, table, write_results
from gradyard.jobs.settings import load
from gradyard.jobs.states import State
from gradyard.jobs.submission.batches import parse_batch
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from gradyard.store.tables import Job
from gradyard.store.upkeep.waits import end_forgotten_waits, end_waits
from tests.actors import expires

MANY, FEW, UPSTREAM = int(os.environ.get("BLOCKED", "200000")), 2_000, 100
ROUNDS, LOOKS = 300, 20
MOST = 1.5
NOTES = f"""{MANY:,} jobs of one batch and {UPSTREAM} shapes wait for {UPSTREAM} others, as many for each; in turn with
a database where {FEW:,} wait. {ROUNDS} rounds: a job is submitted, of the shape of some that wait; it is claimed; its
lease ends, and maintenance queues it again; it is cancelled; what jobs wait for is looked at, and nothing has ended;
the queues are counted. {LOOKS} times maintenance looks for waits that no mark tells of, as it does once a minute. Last,
{MANY // UPSTREAM:,} jobs are released: beside many one of the {UPSTREAM} succeeds, beside few all. p50/p99."""
SPEC: dict[str, Any] = {"stage": "tensor", "dataset": {"points": 3}}


@dataclass
class Side:
    """A database in which so many jobs wait for those of `upstream`."""

    database: Database
    worker: WorkerInfo
    upstream: list[UUID]
    blocked: int

    @classmethod
    def of(cls, url: str, blocked: int) -> "Side":
        """Fill the database at this URL."""
        database = Database(url, silent_transaction_seconds=60)  # a busy machine may stand still in the middle of one
        upstream = _batch(database, [SPEC | {"steps": 3, "seed": n, "device": "gpu"} for n in range(UPSTREAM)])
        jobs = [SPEC | {"steps": 4 + n, "depends_on": [str(on)]} for n, on in enumerate(upstream)]
        templates = _batch(database, jobs)
        with database.begin() as connection:
            _copy(connection, templates, blocked // UPSTREAM - 1)
            connection.execute(text("ANALYZE"))
        return cls(database, register(database), upstream, blocked)

    def round(self, number: int, times: dict[str, list[float]]) -> None:
        """Lead one job from its submission to its cancel, and look at the queues."""
        spec, made = SPEC | {"steps": 4 + number % UPSTREAM, "seed": number}, list[UUID]()
        _timed(times, "submission of a job", lambda: made.append(_submitted(self.database, spec)))
        _timed(times, "claim", self._claim)
        _timed(times, "lost lease", self._expire)
        with self.database.begin() as connection:
            lifecycle.request_cancel(connection, made[0], actor="bench")
        _timed(times, "look for ends, and there are none", self._look)
        _timed(times, "count of the queues", self._count)

    def forgotten(self, times: dict[str, list[float]]) -> None:
        """Look for waits that have ended and that no mark tells of."""
        _timed(times, "look for forgotten waits", lambda: end_forgotten_waits(self.database))

    def release(self, many: bool) -> float:
        """Let what jobs wait for end, one of many or all of few. Returns how many jobs a second were released."""
        these = self.upstream[:1] if many else self.upstream
        with self.database.begin() as connection:
            ended = update(Job).where(Job.id.in_(these))
            connection.execute(ended.values(state=State.SUCCEEDED, finished_at=1.0, claim_id=None))
        began = time.perf_counter()
        released = sum(end_waits(self.database, 600.0, actor="bench").values())
        return released / (time.perf_counter() - began)

    def _claim(self) -> None:
        with self.database.begin() as connection:
            claim = lifecycle.claim(connection, self.worker, -1.0)
        assert claim is not None
        assert len(claim.members) == 1

    def _expire(self) -> None:
        with self.database.begin() as connection:
            assert expires(connection) == 1

    def _look(self) -> None:
        assert not end_waits(self.database, 1.0, actor="bench")

    def _count(self) -> None:
        with self.database.read() as connection:
            queries.queue_depths(connection, 1)


def main() -> None:
    """Measure, print, and write the results down."""
    load_average, _, _ = os.getloadavg()
    rows = [row for name in ("SQLite", "PostgreSQL") for row in _rows(name)]
    print(table(rows))
    write_results("Beside jobs that wait for others", "python -m bench.blocked", NOTES, load_average, rows)


def _rows(name: str) -> Iterator[Row]:
    with ExitStack() as opened:
        urls = [opened.enter_context(a_database(name.lower())) for _ in range(2)]
        few, many = (Side.of(url, blocked) for url, blocked in zip(urls, (FEW, MANY), strict=True))
        alone, beside = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
        for number in range(ROUNDS):
            few.round(number, alone)
            many.round(number, beside)
        for _ in range(LOOKS):
            few.forgotten(alone)
            many.forgotten(beside)
        for what, seconds in beside.items():
            ratio = float(np.quantile(seconds, 0.99) / np.quantile(alone[what], 0.99))
            words = f"{_shown(seconds)} beside {MANY:,}, {_shown(alone[what])} beside {FEW:,}; p99 {ratio:.2f}x"
            target = what in ("claim", "lost lease")
            yield Row(
                f"{name}: {what}", words, f"<= {MOST:g}x" if target else "-", ratio <= MOST if target else None
            )  # fmt: skip
        rates = f"{many.release(many=True):,.0f} jobs/s beside {MANY:,}, {few.release(many=False):,.0f} beside {FEW:,}"
        yield Row(f"{name}: release", rates)
        for side in (few, many):
            side.database.close()


def _batch(database: Database, jobs: list[dict[str, Any]]) -> list[UUID]:
    """Store these jobs as a batch. Returns their ids."""
    parsed = parse_batch(BytesIO(orjson.dumps({"jobs": jobs})), load())
    with database.begin() as connection:
        batch = lifecycle.submit_batch(connection, parsed, project_id=1, actor="bench", max_queued=10**6).batch_id
        return list(connection.execute(select(Job.id).where(Job.batch_id == batch).order_by(Job.id)).scalars())


def _copy(connection: Connection, jobs: list[UUID], times: int) -> None:
    """Let the database copy each of these jobs so many times."""
    connection.execute(text("CREATE TEMPORARY TABLE numbers (n INTEGER)"))
    connection.execute(text("INSERT INTO numbers (n) VALUES (:n)"), [{"n": n} for n in range(1, times + 1)])
    number = f"(n * {len(jobs)} + row_number() OVER (PARTITION BY n ORDER BY jobs.id))"
    names = [column.name for column in Job.__table__.columns]
    copied = ", ".join(uuid_of(number, connection) if name == "id" else f"jobs.{name}" for name in names)
    some = (
        "FROM jobs, numbers WHERE jobs.wait_id IS NOT NULL AND jobs.id >= :first AND n > :after AND n <= :after + 100"
    )
    insert = text(f"INSERT INTO jobs ({', '.join(names)}) SELECT {copied} {some}")
    first = min(jobs)  # the copies have lower ids
    for after in range(0, times, 100):  # no statement may take too long
        connection.execute(
            insert, {"after": after, "first": first.hex if connection.dialect.name == "sqlite" else first}
        )
    of_summary = "project_id, batch_id, stage, submitted_at, steps"
    missing = "WHERE queue = 'blocked' AND id NOT IN (SELECT job_id FROM summaries)"
    connection.execute(
        text(f"INSERT INTO summaries (job_id, {of_summary}) SELECT id, {of_summary} FROM jobs {missing}")
    )


def _submitted(database: Database, spec: dict[str, Any]) -> UUID:
    parsed = parse_job(orjson.dumps(spec), load())
    with database.begin() as connection:
        return lifecycle.submit(connection, parsed, project_id=1, actor="bench", max_queued=10**6).job_id


def _timed(times: dict[str, list[float]], what: str, do: Callable[[], object]) -> None:
    began = time.perf_counter()
    do()
    times[what].append(time.perf_counter() - began)


def _shown(seconds: list[float]) -> str:
    middle, late = 1000 * np.quantile(seconds, [0.5, 0.99])
    return f"{middle:.1f}/{late:.1f} ms"


if __name__ == "__main__":
    main()
