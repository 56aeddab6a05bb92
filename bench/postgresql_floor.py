"""How long PostgreSQL alone takes for the statements of many jobs: psycopg executes them again without gradyard."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import event

from bench.floor import ROUNDS, Floor
from bench.no_op_jobs import body, register, submit, work_off
from gradyard.jobs.settings import Settings
from gradyard.jobs.submission.batches import parse_batch
from gradyard.store.database import Database
from tests.servers import PostgresServer

COMMIT = "COMMIT"


@dataclass
class Statement:
    """One statement. rows: of a COPY; None of any other."""

    text: Any
    parameters: Any = None
    rows: list[Any] | None = None


@dataclass
class Tape:
    """Recorded statements and commits, in order, as the driver got them."""

    statements: list[Statement] = field(default_factory=list)

    def listen(self, database: Database) -> None:
        """Record what new connections of the database execute."""

        @event.listens_for(database.engine, "connect")
        def record(connection: Any, _: Any) -> None:
            connection.cursor_factory = _recording_cursor(self.statements)

        event.listen(database.engine, "commit", lambda _: self.statements.append(Statement(COMMIT)))

    def play(self, connection: "psycopg.Connection[Any]") -> float:
        """Execute the statements, and return the seconds that this takes."""
        cursor, began = connection.cursor(), time.perf_counter()
        for each in self.statements:
            _execute(connection, cursor, each)
        return time.perf_counter() - began


def _execute(connection: "psycopg.Connection[Any]", cursor: "psycopg.Cursor[Any]", statement: Statement) -> None:
    if statement.text == COMMIT:
        connection.commit()
    elif statement.rows is None:
        cursor.execute(statement.text, statement.parameters)
        if cursor.description is not None:
            cursor.fetchall()
    else:
        with cursor.copy(statement.text) as copy:
            for row in statement.rows:
                copy.write_row(row)


def _recording_cursor(statements: list[Statement]) -> "type[psycopg.Cursor[Any]]":
    class RecordingCursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            if not self.connection.autocommit:  # a look whether the connection is alive
                statements.append(Statement(query, params))
            return super().execute(query, params, **options)

        def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
            statements.extend(Statement(query, each) for each in params_seq)
            super().executemany(query, params_seq, **options)

        @contextmanager
        def copy(self, statement: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
            rows: list[Any] = []
            statements.append(Statement(statement, rows=rows))
            with super().copy(statement, *arguments, **options) as copy:
                yield _RecordingCopy(copy, rows)

    return RecordingCursor


@dataclass
class _RecordingCopy:
    copy: Any
    rows: list[Any]

    def write_row(self, row: Any) -> None:
        self.rows.append(row)
        self.copy.write_row(row)


def floor(server: PostgresServer, jobs: int) -> Floor:
    """Measure the statements of a batch of that many no-op jobs. Returns medians."""
    with _copy(server, "floor_empty") as empty:
        database = Database(empty)
        worker = register(database)
        database.close()
        prepared, parsed = replace(server, template="floor_empty"), parse_batch(BytesIO(body(jobs)), Settings())
        with _copy(prepared, "floor_used") as used:
            taken = _recorded(used, lambda each: submit(each, parsed))
            done = _recorded(used, lambda each: work_off(each, worker))
        rounds = []
        for _ in range(ROUNDS):
            with _copy(prepared, "floor_played") as url:
                rounds.append(_played(url, taken, done))
    return Floor(median(each.taken for each in rounds), median(each.done for each in rounds))


@contextmanager
def _copy(server: PostgresServer, name: str) -> Iterator[str]:
    try:
        yield server.clone(name)
    finally:
        server.drop(name)


def _recorded(url: str, act: Callable[[Database], None]) -> Tape:
    tape, database = Tape(), Database(url)
    tape.listen(database)
    act(database)
    database.close()
    return tape


def _played(url: str, taken: Tape, done: Tape) -> Floor:
    with psycopg.connect(url) as connection:
        seconds = taken.play(connection)
        both = seconds + done.play(connection)
        states = connection.execute("SELECT DISTINCT state FROM jobs").fetchall()
    assert states == [("succeeded",)], states
    return Floor(seconds, both)
