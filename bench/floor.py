"""How the time of a thousand jobs is spent, and how much of it is SQLite: the same statements without gradyard.

python -m bench.floor
"""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import event

import migrations
from bench.no_op_jobs import body, claim, collect_as_a_service_does, record, register, submit, warm_up, work_off
from bench.report import Row, table, write_results
from gradyard.jobs.settings import Settings
from gradyard.jobs.submission.batches import parse_batch
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from service.garbage_collector import collector_at_rest

ROUNDS = 15
MOST_OF_FLOOR = 2.0
PARTS = "read and checked", "stored", "claimed", "recorded"
JOBS = 1000
NOTES = f"""Milliseconds for {JOBS:,} `tensor` jobs of one step on three points, in one process without HTTP, Redis,
runner or second core, which has trained a batch before and collects garbage as the service does. The list of jobs is
read and checked, stored, claimed pack by pack, and losses, checkpoints and results are recorded, each with its commits
to a SQLite file. Then Python's sqlite3 executes the same statements and commits in a new file. Median of {ROUNDS}
rounds. The target of what is stored and done: at most {MOST_OF_FLOOR:g} times that."""


def main() -> None:
    """Measure, print, and write the results down."""
    load, _, _ = os.getloadavg()
    collect_as_a_service_does()
    batch = body(JOBS)
    with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as folder:  # alternately: a host is not always as fast
        both = [(_timed(Path(folder) / f"{each}.db", batch), floor(batch, rounds=1)) for each in range(ROUNDS)]
    rows = [Row(what, f"{1000 * median(took[what] for took, _ in both):.1f} ms") for what in PARTS]
    rows += [_of_floor("stored", [(sum(took[part] for part in PARTS[:2]), least.taken) for took, least in both])]
    rows += [_of_floor("done", [(sum(took.values()), least.done) for took, least in both])]
    print(table(rows))
    write_results("Where the time of a thousand jobs goes", "python -m bench.floor", NOTES, load, rows)


def _of_floor(until: str, rounds: Sequence[tuple[float, float]]) -> Row:
    ratio = median(ours / least for ours, least in rounds)
    ours, least = (1000 * median(seconds) for seconds in zip(*rounds, strict=True))
    measured, target = f"{ratio:.1f}x: {ours:.0f} ms by {least:.0f} ms", f"<= {MOST_OF_FLOOR:g}x"
    return Row(f"until they are {until}, against sqlite3 alone", measured, target, ratio <= MOST_OF_FLOOR)


def _timed(path: Path, batch: bytes) -> dict[str, float]:
    """The seconds of each part of the work, by its name."""
    migrations.upgrade(f"sqlite:///{path}")
    took: dict[str, float] = {}

    def clock(what: str, act: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        done = act()
        took[what] = took.get(what, 0.0) + time.perf_counter() - began
        return done

    def work(database: Database) -> None:
        worker = warm_up(database)
        with collector_at_rest():  # as the API has it for a batch
            parsed = clock("read and checked", lambda: parse_batch(BytesIO(batch), Settings()))
            clock("stored", lambda: submit(database, parsed))
        while claimed := clock("claimed", lambda: claim(database, worker)):
            clock("recorded", lambda: record(database, claimed))

    _within(path, work)
    return took


@dataclass(frozen=True)
class Floor:
    """Seconds of SQLite alone: until the jobs of a batch are stored, and until all their results are stored."""

    taken: float
    done: float


@dataclass
class _Tape:
    """Recorded statements and commits, in order."""

    statements: list[tuple[str, Any, bool]] = field(default_factory=list)

    def listen(self, database: Database) -> None:
        def keep(_: Any, __: Any, statement: str, parameters: Any, ___: Any, many: bool) -> None:
            self.statements.append((statement, parameters, many))

        event.listen(database.engine, "before_cursor_execute", keep)
        event.listen(database.engine, "commit", lambda _: self.statements.append(("COMMIT", (), False)))

    def play(self, connection: sqlite3.Connection) -> float:
        """Execute the statements, and return the seconds that this takes."""
        began = time.perf_counter()
        for statement, parameters, many in self.statements:
            if many:
                connection.executemany(statement, parameters)
            else:
                connection.execute(statement, parameters).fetchall()
        return time.perf_counter() - began


def floor(batch: bytes, rounds: int = ROUNDS) -> Floor:
    """Measure the statements of a batch of jobs of one step. batch: the body of its POST. Returns medians."""
    with tempfile.TemporaryDirectory(prefix="gradyard-bench-") as folder:
        empty, used = Path(folder) / "empty.db", Path(folder) / "used.db"
        worker = _prepare(empty)
        shutil.copy(empty, used)
        taken, done = _recorded(used, worker, batch)
        played = [_played(empty, Path(folder) / f"{number}.db", taken, done) for number in range(rounds)]
    return Floor(median(each.taken for each in played), median(each.done for each in played))


def _prepare(path: Path) -> WorkerInfo:
    migrations.upgrade(f"sqlite:///{path}")
    worker: WorkerInfo = _within(path, register)
    return worker


def _within(path: Path, act: Callable[[Database], Any]) -> Any:
    """Call `act` with the database and close it afterwards, so that its file is complete."""
    database = Database(f"sqlite:///{path}")
    try:
        return act(database)
    finally:
        database.close()


def _recorded(path: Path, worker: WorkerInfo, batch: bytes) -> tuple[_Tape, _Tape]:
    parsed, taken, done = parse_batch(BytesIO(batch), Settings()), _Tape(), _Tape()

    def store(database: Database) -> None:
        taken.listen(database)
        submit(database, parsed)

    def work(database: Database) -> None:
        done.listen(database)
        work_off(database, worker)

    _within(path, store)
    _within(path, work)
    return taken, done


def _played(empty: Path, path: Path, taken: _Tape, done: _Tape) -> Floor:
    shutil.copy(empty, path)
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
        connection.execute(f"PRAGMA {pragma}")
    seconds = taken.play(connection)
    both = seconds + done.play(connection)
    states = connection.execute("SELECT DISTINCT state FROM jobs").fetchall()
    connection.close()
    assert states == [("succeeded",)], states
    return Floor(seconds, both)


if __name__ == "__main__":
    main()
