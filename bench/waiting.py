"""One API process while strangers send half requests, a thousand requests wait, and others work.

python -m bench.waiting
"""

import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from uuid import UUID

import httpx
import numpy as np
import psutil

from bench.lone_api import LoneApi, lone_api
from bench.report import Row, table, write_results
from gradyard.store import lifecycle
from gradyard.store.database import Database
from tests.servers import PostgresServer

HALF_SENT, WAITS, ENDS, LONG_WAITS = 500, 1000, 100, 20
LARGE_HALVES, LARGE_BYTES = 400, 500_000
SECONDS, LATE_MS, TOLD_MS, WATCHED_SECONDS = 10.0, 100.0, 5.0, 5.0
HALVES = (
    b"",
    b"GET /v1/jobs HTTP/1.1\r\nHo",
    b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{",
)
LARGE_HALF = b"POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000000\r\n\r\n" + b"x" * LARGE_BYTES
NOTES = f"""One API process alone. {HALF_SENT} connections send nothing, half a head or half a body; then {WAITS:,}
requests wait with `?wait` for a job each, and two clients list jobs. Meanwhile `/healthz` is asked on a connection of
its own, ten milliseconds after each answer, for {SECONDS:g} s. Before, the same half-sent connections at gunicorn's
own `gthread`, with as many threads. Then {LARGE_HALVES} connections that send the first {LARGE_BYTES:,} bytes of a
batch each, and no more. Last, how long after its commit the end of a job reaches the request that waits
for it: {ENDS} jobs, cancelled one after another after a wait of 0.1 s, and {LONG_WAITS} after 5 s; and what a lone
wait costs that is 3 s old. Memory is the resident set."""


def main() -> None:
    """Measure, print, and write the results down."""
    load_average, _, _ = os.getloadavg()
    rows = [*_strangers(), *_large_halves(), *_told("SQLite", None)]
    with PostgresServer.start() as server:
        rows += _told("PostgreSQL", server.make_empty("waiting"))
    print(table(rows))
    write_results("Many who wait", "python -m bench.waiting", NOTES, load_average, rows)


def _strangers() -> Iterator[Row]:
    with lone_api(worker_class="gthread") as api, ExitStack() as opened:
        _send_halves(api, opened)
        waits = asked_meanwhile(api, SECONDS)
        yield Row(f"/healthz beside {HALF_SENT} half-sent requests, gthread", percentiles(waits))
    with lone_api() as api, ExitStack() as opened:
        memory = [api.mib()]
        jobs = api.submit(WAITS)
        _send_halves(api, opened)
        memory.append(api.mib())
        for job in jobs:
            opened.enter_context(api.send(_wait_for(job)))
        time.sleep(5.0)  # until all are read
        busy = api.seconds()
        time.sleep(2.0)
        idle = (api.seconds() - busy) / 2.0
        memory.append(api.mib())
        shown = "{:.0f} MiB, with the half-sent requests {:.0f} MiB, with the waits {:.0f} MiB".format(*memory)
        yield Row("memory of the API process", shown)
        yield Row("processor of the API while they only wait", f"{idle:.0%} of a core")
        with listing(api, 2):
            waits = asked_meanwhile(api, SECONDS)
        late = 1000 * float(np.quantile(waits, 0.99))
        yield Row(
            f"/healthz beside {HALF_SENT} half-sent requests, {WAITS:,} waits and work", percentiles(waits),
            f"p99 <= {LATE_MS:g} ms", late <= LATE_MS,
        )  # fmt: skip


def _large_halves() -> Iterator[Row]:
    with lone_api() as api, ExitStack() as opened:
        memory = [api.mib()]
        connections = [opened.enter_context(api.send(LARGE_HALF)) for _ in range(LARGE_HALVES)]
        waits = asked_meanwhile(api, 5.0)
        memory.append(api.mib())
        refused = sum(map(_was_refused, connections))
        what = f"{LARGE_HALVES} half-sent bodies of {LARGE_BYTES:,} bytes"
        yield Row(f"memory of the API process beside {what}", "{:.0f} MiB, with them {:.0f} MiB".format(*memory))
        yield Row("of these refused with 503", str(refused))
        yield Row(f"/healthz beside {what}", percentiles(waits))


def _was_refused(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return b" 503 " in connection.recv(64)
    except OSError:  # nothing came, or it was closed
        return False


_LISTS = """
import sys, httpx
with httpx.Client(base_url=sys.argv[1], trust_env=False, timeout=60) as client:
    while True:
        client.get("/v1/jobs")
"""


@contextmanager
def listing(api: LoneApi, clients: int) -> Iterator[None]:
    """So many clients list jobs all the time, until the block ends."""
    work = [subprocess.Popen([sys.executable, "-c", _LISTS, api.address]) for _ in range(clients)]
    try:
        yield
    finally:
        for each in work:
            each.kill()
            each.wait()


def _send_halves(api: LoneApi, opened: ExitStack) -> None:
    for number in range(HALF_SENT):
        opened.enter_context(api.send(HALVES[number % len(HALVES)]))


def _wait_for(job: str) -> bytes:
    return f"GET /v1/jobs/{job}?wait=30 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def asked_meanwhile(api: LoneApi, seconds: float) -> list[float]:
    """Seconds of each `/healthz`; one that is not answered in time counts as so long."""
    taken, until = [], time.monotonic() + seconds
    with httpx.Client(base_url=api.address, trust_env=False, timeout=seconds) as client:
        while time.monotonic() < until:
            began = time.perf_counter()
            try:
                client.get("/healthz").raise_for_status()
            except httpx.TimeoutException:
                taken.append(seconds)
                break
            taken.append(time.perf_counter() - began)
            time.sleep(0.01)
    return taken


def percentiles(seconds: list[float]) -> str:
    if len(seconds) == 1:
        return f"not answered within {seconds[0]:g} s"
    middle, late, latest = 1000 * np.quantile(seconds, [0.5, 0.99, 1.0])
    return f"p50 {middle:.1f} ms, p99 {late:.1f} ms, longest {latest:.0f} ms of {len(seconds):,}"


def _told(name: str, database_url: str | None) -> Iterator[Row]:
    with lone_api(database_url) as api:
        database = Database(api.database_url)
        jobs = api.submit(ENDS + LONG_WAITS + 1)
        young = [_told_after(api, database, job, 0.1) for job in jobs[:ENDS]]
        old = [_told_after(api, database, job, 5.0) for job in jobs[ENDS:-1]]
        database.close()
        waiting = _while_one_waits(api, jobs[-1])
    for what, waited in (("0.1 s", young), ("5 s", old)):
        middle = 1000 * statistics.median(waited)
        row = f"{name}: the end of a job that was waited for for {what}"
        yield Row(row, f"told after {percentiles(waited)}", f"p50 <= {TOLD_MS:g} ms", middle <= TOLD_MS)
    yield Row(f"{name}: while one request waits and nothing is committed", waiting)


def _while_one_waits(api: LoneApi, job: str) -> str:
    """Shares of a core that the API takes, and PostgreSQL's sessions, when the wait is seconds old."""
    database = Database(api.database_url)
    with api.send(_wait_for(job)), database.read() as connection:
        time.sleep(3.0)
        sessions = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        pids = [] if database.is_sqlite else connection.exec_driver_sql(sessions).scalars().all()
        asked = [api.process, *map(psutil.Process, pids)]
        before = [sum(each.cpu_times()[:2]) for each in asked]
        time.sleep(WATCHED_SECONDS)
        shares = [
            (sum(each.cpu_times()[:2]) - began) / WATCHED_SECONDS for each, began in zip(asked, before, strict=True)
        ]
    database.close()
    shown = f"the API takes {shares[0]:.1%} of a core"
    return shown if database.is_sqlite else f"{shown}, PostgreSQL {sum(shares[1:]):.1%}"


def _told_after(api: LoneApi, database: Database, job: str, waits_for: float) -> float:
    """Seconds from the commit that ends the job until the request that waited for it has its answer."""
    told: list[float] = []
    with api.send(_wait_for(job)) as connection:

        def listen() -> None:
            connection.recv(65536)
            told.append(time.perf_counter())

        thread = threading.Thread(target=listen)
        thread.start()
        time.sleep(waits_for)
        with database.begin() as transaction:
            lifecycle.request_cancel(transaction, job_id=UUID(job), actor="bench")
        ended = time.perf_counter()
        thread.join()
    return told[0] - ended


if __name__ == "__main__":
    main()
