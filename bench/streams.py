"""One API process with a thousand streams of one job, while the job trains and others work.

python -m bench.streams [STREAMS]
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
from sqlalchemy import text

from bench.lone_api import LoneApi, lone_api
from bench.report import Row, table, write_results
from bench.stream_readers import StreamReaders
from bench.waiting import LATE_MS, asked_meanwhile, listing, percentiles
from gradyard.store import lifecycle
from gradyard.store.database import Database
from gradyard.store.lifecycle import ClaimedJob
from tests.actors import claimed, progress_of, worker_of
from tests.servers import PostgresServer

STREAMS = 1000
SECONDS, RECORDS, STEPS, LATEST_MS = 10.0, 10, 1000, 1000.0
NOTES = f"""One API process alone, which holds that many streams of events of one running job; two clients list jobs
meanwhile, and `/healthz` is asked on a connection of its own, ten milliseconds after each answer, for {SECONDS:g} s. In
that time {RECORDS} records of {STEPS:,} losses are stored, and each of them is told to every stream: how long after its
commit the first and the last of them has it. PostgreSQL counts the transactions of another API while its streams only
wait, for one stream and for all of them. Memory is the resident set."""


def main() -> None:
    """Measure, print, and write the results down."""
    load_average, _, _ = os.getloadavg()
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else STREAMS
    rows = list(_beside_work(streams))
    with PostgresServer.start() as server:
        rows += _transactions(server.make_empty("streams"), streams)
    print(table(rows))
    if streams == STREAMS:
        write_results("Many streams", "python -m bench.streams", NOTES, load_average, rows)


def _beside_work(streams: int) -> Iterator[Row]:
    with lone_api() as api, ExitStack() as opened:
        database, readers = Database(api.database_url), StreamReaders(opened)
        opened.callback(database.close)
        [job] = api.submit(1)
        memory = [api.mib()]
        _open(api, readers, job, streams, opened)
        memory.append(api.mib())
        yield Row("memory of the API process", "{:.0f} MiB, with the streams {:.0f} MiB".format(*memory))
        [member] = claimed(database, worker_of(database, lease=3600.0), lease=3600.0).members
        opened.enter_context(listing(api, 2))
        waits: list[float] = []
        asks = threading.Thread(target=lambda: waits.extend(asked_meanwhile(api, SECONDS)))
        asks.start()
        told = np.array([_told_after(database, member, number, readers, streams) for number in range(RECORDS)])
        asks.join()
        late = 1000 * float(np.quantile(waits, 0.99))
        name = f"/healthz beside {streams:,} streams, a job that trains, and work"
        yield Row(name, percentiles(waits), f"p99 <= {LATE_MS:g} ms", late <= LATE_MS)
        first, last = 1000 * np.median(told, axis=0)
        shown = f"the first has it after {first:.0f} ms, the last after {last:.0f} ms"
        yield Row(f"a record of {STEPS:,} losses", shown, f"last <= {LATEST_MS:g} ms", last <= LATEST_MS)


def _open(api: LoneApi, readers: StreamReaders, job: str, streams: int, opened: ExitStack) -> None:
    """Open so many streams of the job, and wait until each of them has told its beginning."""
    head = f"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
    readers.expect(b'"submitted"')
    for _ in range(streams):
        readers.add(opened.enter_context(api.send(head.encode())))
    readers.told(streams)


def _told_after(
    database: Database, member: ClaimedJob, number: int, readers: StreamReaders, streams: int
) -> tuple[float, float]:  # fmt: skip
    """Seconds from the commit of a record until the first, and until the last stream has it; a second passes in all."""
    readers.expect(b'"to_step":%d' % ((number + 1) * STEPS))
    losses = np.random.default_rng(number).random(STEPS).tolist()
    with database.begin() as connection:
        assert lifecycle.record(connection, progress_of(member, losses, number * STEPS))
    stored = time.perf_counter()
    told = readers.told(streams)
    time.sleep(max(0.0, SECONDS / RECORDS - (told[-1] - stored)))
    return told[0] - stored, told[-1] - stored


def _transactions(database_url: str, streams: int) -> Iterator[Row]:
    with lone_api(database_url) as api, ExitStack() as opened:
        database, readers = Database(database_url), StreamReaders(opened)
        opened.callback(database.close)
        [job] = api.submit(1)
        rates = []
        for more in (1, streams - 1):
            _open(api, readers, job, more, opened)
            time.sleep(2.0)
            before = _counted(database)
            time.sleep(5.0)
            rates.append((_counted(database) - before) / 5.0)
        one, every = rates
        name, shown = f"transactions while {streams:,} streams wait", f"{every:.0f} a second, of one stream {one:.0f}"
        yield Row(f"PostgreSQL: {name}", shown, "as of one", every <= 1.5 * one + 2)


def _counted(database: Database) -> int:
    asked = text("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()")
    with database.read() as connection:
        return int(connection.execute(asked).scalar_one())


if __name__ == "__main__":
    main()
