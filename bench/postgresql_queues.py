"""Many jobs on PostgreSQL, beside procrastinate and pgqueuer: how fast they are taken, and how fast they are done.

python -m bench.postgresql_queues
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from statistics import median

import psycopg

from bench.no_op_jobs import SPEC, body, collect_as_a_service_does, submit, warm_up, work_off
from bench.peers.postgresql_queues import Peer, PgQueuer, Procrastinate
from bench.postgresql_floor import floor
from bench.report import Row, table, write_results
from bench.service import service
from bench.throughput import seconds_of_batch
from gradyard.jobs.settings import Settings
from gradyard.jobs.submission.batches import parse_batch
from gradyard.store.database import Database
from service.garbage_collector import collector_at_rest
from tests.servers import PostgresServer

ROUNDS = 5
SIZES = (1000, 10_000)
WORKED = {"gradyard": 10_000, "pgqueuer": 10_000, "procrastinate": 1000}  # of procrastinate more take minutes
SLOTS = 2
NOTES = f"""One PostgreSQL with its own defaults (fsync and synchronous_commit are on), one process each, alternately;
median (least-most) of {ROUNDS} rounds. gradyard has trained a batch before, and collects garbage as its service does.
Taken: so many jobs in one call and one transaction: gradyard's store with the jobs parsed before, and with reading and
checking their JSON, `batch_defer_async` of procrastinate, `enqueue` of lists of pgqueuer. Worked: no-op jobs that wait
until all are done. gradyard claims packs and records them as a worker does: a loss, a checkpoint, a result, two more
events and a summary of each job, in one process without HTTP, Redis or runner. The others run their worker with an
async task that does nothing (procrastinate: {Procrastinate.options}; pgqueuer: {PgQueuer.options}),
and store that it is done. Through the whole service: from the POST of a sweep of jobs of one step on three points until
`GET` says that all have finished, with {SLOTS} CPU slots. The same statements: psycopg alone executes gradyard's
statements, COPYs and commits again in a database that was as empty. No program that stores the
same rows by these statements is faster."""

Rates = defaultdict[str, list[float]]  # jobs a second, by what was measured


def main() -> None:
    """Measure, print, and write the results down."""
    load, _, _ = os.getloadavg()
    collect_as_a_service_does()
    with _server() as server:
        rows = [row for jobs in SIZES for row in _taken(server, jobs)]
        rows += [*_worked(server), _service(server)]
    print(table(rows))
    write_results("Beside queues on PostgreSQL", "python -m bench.postgresql_queues", NOTES, load, rows)


@contextmanager
def _server() -> Iterator[PostgresServer]:
    """A server of the tests, without what makes it fast and forgetful there."""
    with PostgresServer.start() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM RESET ALL")
            connection.execute("SELECT pg_reload_conf()")
        while _setting(server, "synchronous_commit") != "on" or _setting(server, "fsync") != "on":
            time.sleep(0.05)
        yield server


def _setting(server: PostgresServer, name: str) -> str:
    with psycopg.connect(server.url, autocommit=True) as connection:
        return str(connection.execute(f"SHOW {name}".encode()).fetchone()[0])  # type: ignore[index]


def _taken(server: PostgresServer, jobs: int) -> Iterator[Row]:
    content, rates = body(jobs), Rates(list)
    peers = [peer(server.make_empty(f"{peer.name}_taken_{jobs}")) for peer in (Procrastinate, PgQueuer)]
    for number in range(ROUNDS):
        with _database(server, f"taken_{jobs}_{number}") as database, collector_at_rest():  # as the API has it
            warm_up(database)
            began = time.perf_counter()
            parsed = parse_batch(BytesIO(content), Settings())
            stored_from = time.perf_counter()
            submit(database, parsed)
            ended = time.perf_counter()
        rates["gradyard, parsed before"].append(jobs / (ended - stored_from))
        rates["gradyard, with parsing"].append(jobs / (ended - began))
        for peer in peers:
            rates[peer.name].append(jobs / peer.run(peer.enqueue(jobs)))
    rates["the same statements, nothing else"] = [jobs / floor(server, jobs).taken]
    yield from _rows(f"{jobs:,} taken", rates, "gradyard, parsed before", least=1.0)


def _worked(server: PostgresServer) -> Iterator[Row]:
    rates = Rates(list)
    peers = [peer(server.make_empty(f"{peer.name}_worked")) for peer in (Procrastinate, PgQueuer)]
    for number in range(ROUNDS):
        with _database(server, f"worked_{number}") as database:
            rates["gradyard"].append(_rate_of_ours(database, WORKED["gradyard"]))
        for peer in peers:
            rates[peer.name].append(_rate_of(peer, WORKED[peer.name]))
    least = floor(server, 1000)
    rates["the same statements of 1,000, nothing else"] = [1000 / (least.done - least.taken)]
    yield from _rows("worked", rates, "gradyard", least=0.5)


def _rate_of_ours(database: Database, jobs: int) -> float:
    worker = warm_up(database)
    submit(database, parse_batch(BytesIO(body(jobs)), Settings()))
    began = time.perf_counter()
    work_off(database, worker)
    return jobs / (time.perf_counter() - began)


def _rate_of(peer: Peer, jobs: int) -> float:
    peer.run(peer.enqueue(jobs))
    return jobs / peer.run(peer.work_off())


@contextmanager
def _database(server: PostgresServer, name: str) -> Iterator[Database]:
    database = Database(server.clone(name))
    try:
        yield database
    finally:
        database.close()
        server.drop(name)


def _rows(what: str, rates: Rates, ours: str, least: float) -> Iterator[Row]:
    """A row for each. least: how many times as many as of pgqueuer ours should be."""
    for name, measured in rates.items():
        words = f"{median(measured):,.0f} jobs/s"
        if len(measured) > 1:
            words += f" ({min(measured):,.0f}-{max(measured):,.0f})"
        if name != ours:
            yield Row(f"{what}: {name}", words)
            continue
        ratio = median(own / their for own, their in zip(measured, rates["pgqueuer"], strict=True))
        words += f", {ratio:.2f} of pgqueuer's"
        yield Row(f"{what}: {name}", words, f">= {least:g} of pgqueuer's", ratio >= least)


def _service(server: PostgresServer) -> Row:
    """The row of all jobs through HTTP and worker processes."""
    jobs = SIZES[0]
    with service(cpu_slots=SLOTS, database_url=server.clone("service")) as client:
        seconds_of_batch(client, SPEC)  # warm
        rates = [jobs / seconds_of_batch(client, SPEC)[0] for _ in range(ROUNDS)]
    return next(_rows(f"{jobs:,} taken and worked", Rates(list, {"gradyard's whole service": rates}), "", 0.0))


if __name__ == "__main__":
    main()
