"""PostgreSQL databases of tests, emptied and used again: that takes a tenth of a copy of the template."""

import time
from collections import deque
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from tests.servers import PostgresServer

MOST_BYTES = 65_536  # of a table with its dead rows: below ten pages the planner takes each size for the same
SPARE = 2  # the connection that emptied the last one may not have ended yet
CLIENTS_GO_SECONDS = 0.2

# What a test may have changed besides rows. The newest xmin finds every change of a row of a catalog; what VACUUM and
# ANALYZE count is written in place.
_CATALOGS = {
    "pg_class": "oid", "pg_attribute": "attrelid", "pg_constraint": "oid", "pg_index": "indexrelid",
    "pg_trigger": "oid", "pg_proc": "oid", "pg_rewrite": "oid", "pg_statistic": "starelid",
}  # fmt: skip
_CHANGES = "(SELECT concat(count(*), ' ', max(xmin::text::bigint)) FROM {} WHERE {} >= 16384)"
_DEFINITIONS = SQL("SELECT concat_ws(' ', {}, {})").format(
    SQL(", ").join(SQL(_CHANGES).format(Identifier(name), Identifier(oid)) for name, oid in _CATALOGS.items()),
    SQL("(SELECT concat(sum(relpages), ' ', sum(reltuples)) FROM pg_class WHERE oid >= 16384)"),
)
# Of the database, seen from another: its clients, and what was set for it.
_CLIENTS = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
_SETTINGS = """SELECT datallowconn, datconnlimit, datacl,
    (SELECT count(*) FROM pg_db_role_setting WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = %s"""
_WRITTEN = """SELECT t.relname, pg_relation_size(t.oid) + coalesce(pg_relation_size(nullif(t.reltoastrelid, 0)), 0)
    FROM pg_class t WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace AND pg_relation_size(t.oid) > 0"""


class EmptiedDatabases:
    """Migrated, empty databases of one server, each under a name that no earlier test knows."""

    def __init__(self, server: PostgresServer) -> None:
        self._server, self._ready = server, deque[str]()
        with psycopg.connect(server.url_of(server.template), autocommit=True) as connection:
            self._template = _Contents(connection)

    def take(self) -> tuple[str, str]:
        """The name and the URL of one."""
        name = f"test_{uuid4().hex}"
        if len(self._ready) < SPARE:
            return name, self._server.clone(name)
        # By its new name no thread that an earlier test left behind finds it.
        return name, self._server.rename(self._ready.popleft(), name)

    def give_back(self, name: str) -> None:
        """Empty it. It is dropped where that would not make it equal to a new one."""
        if self._emptied(name):
            self._ready.append(name)
        else:
            self._server.drop(name)

    def close(self) -> None:
        """Drop all of them."""
        for name in self._ready:
            self._server.drop(name)

    def _emptied(self, name: str) -> bool:
        if not self._is_left_alone(name) or self._settings(name) != self._settings(self._server.template):
            return False
        with psycopg.connect(self._server.url_of(name), autocommit=True) as connection:
            return self._template.are_restored(connection)

    def _settings(self, name: str) -> Any:
        return self._server.admin.execute(_SETTINGS, (name,)).fetchone()

    def _is_left_alone(self, name: str) -> bool:
        """Whether no client is connected. Those that have just left are waited for."""
        give_up_at = time.monotonic() + CLIENTS_GO_SECONDS
        while self._server.admin.execute(_CLIENTS, (name,)).fetchone() != (0,):
            if time.monotonic() > give_up_at:
                return False
            time.sleep(0.002)
        return True


class _Contents:
    """What a migrated, empty database holds."""

    def __init__(self, template: psycopg.Connection[Any]) -> None:
        self._definitions = template.execute(_DEFINITIONS).fetchone()
        self._rows = {table: _rows(template, table) for table, _ in template.execute(_WRITTEN).fetchall()}
        self._sequences = [
            SQL("SELECT setval({}, {}, {})").format(name, *_position(template, name))
            for (name,) in template.execute("SELECT sequencename FROM pg_sequences").fetchall()
        ]

    def are_restored(self, connection: psycopg.Connection[Any]) -> bool:
        """Make a database hold just this. False where deleting rows is not enough."""
        sizes: dict[str, int] = dict(connection.execute(_WRITTEN).fetchall())
        if connection.info.parameter_status("is_superuser") != "on" or max(sizes.values()) > MOST_BYTES:
            return False
        if connection.execute(_DEFINITIONS).fetchone() != self._definitions:
            return False
        # No trigger and no foreign key looks at what is deleted.
        work = [SQL("SET session_replication_role = replica"), *self._sequences]
        work += [SQL("DELETE FROM {}").format(Identifier(table)) for table in sizes if table not in self._rows]
        work += [_refill(table, rows) for table, rows in self._rows.items() if _rows(connection, table) != rows]
        connection.execute(SQL("; ").join(work))
        return True


def _rows(connection: psycopg.Connection[Any], table: str) -> str:
    rows = SQL("SELECT jsonb_agg(to_jsonb(t) ORDER BY to_jsonb(t))::text FROM {} t").format(Identifier(table))
    return str((connection.execute(rows).fetchone() or ("",))[0])


def _refill(table: str, rows: str) -> Composed:
    refill = "DELETE FROM {0}; INSERT INTO {0} SELECT * FROM jsonb_populate_recordset(NULL::{0}, {1})"
    return SQL(refill).format(Identifier(table), Literal(rows))


def _position(connection: psycopg.Connection[Any], sequence: str) -> tuple[int, bool]:
    state = connection.execute(SQL("SELECT last_value, is_called FROM {}").format(Identifier(sequence))).fetchone()
    assert state
    return state
