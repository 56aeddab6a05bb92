"""What a driver's error says to the rest: come again later, make room, upgrade; or that the statement is wrong."""

import pytest
from sqlalchemy import exc
from sqlalchemy.engine import make_url

from gradyard.jobs.errors import DatabaseNotReady, DatabaseReadOnly, DatabaseUnavailable, StorageFull
from gradyard.store.database import SILENT_TRANSACTION_SECONDS, Database
from tests.servers import PostgresServer, free_port

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
MEANINGS: dict[str, type[Exception]] = {
    "08006": DatabaseUnavailable,  # connection failure
    "25006": DatabaseReadOnly,
    "25P03": DatabaseUnavailable,  # the transaction was silent for too long
    "40001": DatabaseUnavailable,  # serialization failure
    "40P01": DatabaseUnavailable,  # deadlock
    "42P01": DatabaseNotReady,  # there is no such table
    "53100": StorageFull,
    "53200": DatabaseUnavailable,  # out of memory
    "53300": DatabaseUnavailable,  # too many connections
    "55P03": DatabaseUnavailable,  # lock timeout
    "57014": DatabaseUnavailable,  # statement timeout
    "57P01": DatabaseUnavailable,  # the session was ended
    "57P03": DatabaseUnavailable,  # the server starts
    "58030": DatabaseUnavailable,  # input or output failed
    "22012": exc.DBAPIError,  # division by zero: the statement is wrong
    "25P02": exc.DBAPIError,  # a statement after one that failed
    "XX000": exc.DBAPIError,
}


@on_postgresql
@pytest.mark.parametrize("code", list(MEANINGS))
def test_each_code_of_postgresql_has_its_meaning(database: Database, code: str) -> None:
    failing = f"DO $$ BEGIN RAISE EXCEPTION 'it failed' USING ERRCODE = '{code}'; END $$"
    with pytest.raises(Exception, match=r"it failed|no tables") as raised, database.begin() as connection:
        connection.exec_driver_sql(failing)
    expected = MEANINGS[code]
    assert issubclass(raised.type, expected) if expected is exc.DBAPIError else raised.type is expected


@on_postgresql
def test_every_session_is_bounded_in_time_and_on_its_network(database_url: str) -> None:
    database = Database(database_url, silent_transaction_seconds=SILENT_TRANSACTION_SECONDS)
    bounds = {
        "idle_in_transaction_session_timeout": 5_000, "lock_timeout": 10_000, "statement_timeout": 30_000,
        "tcp_keepalives_idle": 5, "tcp_user_timeout": 10_000,
    }  # fmt: skip
    with database.read() as connection:
        asked = "SELECT name, reset_val::int FROM pg_settings WHERE name = ANY(%s)"
        assert {row[0]: row[1] for row in connection.exec_driver_sql(asked, (list(bounds),))} == bounds
    database.close()


def test_of_several_hosts_one_that_answers_is_used(postgres: PostgresServer) -> None:
    name = f"hosts_{free_port()}"
    url = make_url(postgres.clone(name))
    host, port = url.query.get("host", url.host), url.port or 5432
    both = url.set(host=None, port=None, query={"host": f"127.0.0.1,{host}", "port": f"{free_port()},{port}"})
    database = Database(both.render_as_string(hide_password=False))
    assert database.takes_writes()
    database.close()
    postgres.drop(name)
