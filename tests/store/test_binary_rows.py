"""Bytes are read as they were written, and what goes wrong is told as everywhere."""

import pytest
from sqlalchemy import LargeBinary, Text, bindparam, cast, column, event, select, table, text

from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.store.binary_rows import binary_rows
from gradyard.store.database import Database

EVERY_BYTE = bytes(range(256))


def test_bytes_come_as_they_were_written(database: Database) -> None:
    kept = table("kept", column("name", Text), column("value", LargeBinary))
    with database.begin() as connection:
        bytes_are = "BLOB" if database.is_sqlite else "BYTEA"
        connection.execute(text(f"CREATE TABLE kept (name TEXT, value {bytes_are})"))
        connection.execute(kept.insert(), [{"name": "a", "value": EVERY_BYTE}, {"name": "b", "value": b""}])
    query = select(cast(kept.c.name, Text), kept.c.value).where(kept.c.name != bindparam("other"))
    with database.read() as connection:
        rows = binary_rows(connection, query.order_by(kept.c.name), {"other": "c"})
        assert [(name, bytes(value)) for name, value in rows] == [("a", EVERY_BYTE), ("b", b"")]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_is_asked_for_bytes_where_they_are_large_alone(database: Database) -> None:
    formats = []
    event.listen(database.engine, "after_cursor_execute", lambda *call: formats.append(int(call[1].format)))
    with database.read() as connection:
        binary_rows(connection, select(cast(bindparam("value"), Text)), {"value": "a"})
        connection.execute(select(cast(bindparam("value"), Text)), {"value": "a"})
    assert formats == [1, 0]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_is_cut_is_a_database_that_does_not_answer(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable):
        cut_while_it_reads(database)


def cut_while_it_reads(database: Database) -> None:
    with database.read() as connection:
        process = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with database.begin() as other:
            other.execute(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process})
        binary_rows(connection, select(cast(bindparam("value"), Text)), {"value": "a"})
