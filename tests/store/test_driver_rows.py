"""Bytes are read as they were written, and what goes wrong is told as everywhere."""

import struct
from typing import Any

import pytest
from sqlalchemy import LargeBinary, Select, Text, bindparam, cast, column, event, literal_column, select, table, text

from gradyard.jobs.errors import DatabaseNotReady, DatabaseUnavailable
from gradyard.store.database import Database, driver_rows

EVERY_BYTE = bytes(range(256))


def test_bytes_come_as_they_were_written(database: Database) -> None:
    kept = table("kept", column("name", Text), column("value", LargeBinary))
    with database.begin() as connection:
        bytes_are = "BLOB" if database.is_sqlite else "BYTEA"
        connection.execute(text(f"CREATE TABLE kept (name TEXT, value {bytes_are})"))
        connection.execute(kept.insert(), [{"name": "a", "value": EVERY_BYTE}, {"name": "b", "value": b""}])
    query = select(cast(kept.c.name, Text), kept.c.value).where(kept.c.name != bindparam("other"))
    with database.read() as connection:
        rows = driver_rows(connection, query.order_by(kept.c.name), {"other": "c"})
        assert [(name, bytes(value)) for name, value in rows] == [("a", EVERY_BYTE), ("b", b"")]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_sends_bytes_and_no_digits(database: Database) -> None:
    a_point: Select[Any] = select(literal_column("point '(1,2)'"))  # of a type that psycopg gives as it was sent
    with database.read() as connection:
        assert driver_rows(connection, a_point, {}) == [(struct.pack(">dd", 1, 2),)]
        assert connection.execute(a_point).all() == [("(1,2)",)]


def test_what_the_driver_raises_has_the_meaning_that_it_has_elsewhere_and_tells_no_values(database: Database) -> None:
    of_no_table: Select[Any] = (
        select(literal_column("1")).select_from(table("no_table")).where(cast(bindparam("key"), Text).is_not(None))
    )
    with pytest.raises(DatabaseNotReady) as raised, database.read() as connection:
        driver_rows(connection, of_no_table, {"key": "a secret"})
    assert "a secret" not in f"{raised.value} {raised.value.__cause__}"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_snapshot_that_is_read_so_alone_ends_as_any_other(database: Database) -> None:
    """Else the connection would be rolled back, at which psycopg forgets what it has prepared."""
    ended = list[Any]()
    event.listen(database.engine, "commit", ended.append)
    with database.snapshot() as connection:
        driver_rows(connection, select(cast(bindparam("value"), Text)), {"value": "a"})
    assert len(ended) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_is_cut_is_a_database_that_does_not_answer(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="administrator command"):
        cut_while_it_reads(database)


def cut_while_it_reads(database: Database) -> None:
    with database.read() as connection:
        process = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with database.begin() as other:
            other.execute(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process})
        driver_rows(connection, select(cast(bindparam("value"), Text)), {"value": "a"})
