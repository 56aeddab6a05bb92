"""Many rows at once. PostgreSQL takes them by COPY, or as arrays where rows may be there: five times as fast as singly.

SQLite has no round trip: it takes one prepared statement for all rows. They go past SQLAlchemy, whose look at each
value takes half of SQLite's own time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache, lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any, cast

import orjson
from sqlalchemy import JSON, Column, Connection, Table, Uuid, insert
from sqlalchemy.dialects.postgresql import dialect as postgresql

from gradyard.store.dialects import insert_or_ignore, insert_or_replace
from gradyard.store.driver_errors import errors_of_sqlalchemy

FEWEST = 8  # rows; fewer are sooner sent one by one
MOST_LISTED = 500  # rows in one statement of SQLite, which takes 32,766 values


class OnConflict(StrEnum):
    """What an INSERT does with a row whose primary key is there."""

    FAIL = "fail"
    IGNORE = "ignore"
    REPLACE = "replace"


def insert_rows(
    connection: Connection, model: Any, rows: Sequence[Mapping[str, Any]], on_conflict: OnConflict = OnConflict.FAIL
) -> None:
    """Insert rows, each with the same keys: the keys of columns. Columns without a key get their default, or NULL."""
    if not rows:
        return
    table, on_postgresql = cast(Table, model.__table__), connection.dialect.name == "postgresql"
    if len(rows) < FEWEST:
        connection.execute(_insert(connection, model, on_conflict), list(rows))
    elif not on_postgresql:
        _execute_many(connection, table, rows, on_conflict)
    elif on_conflict is OnConflict.FAIL:
        _copy(connection, table, rows)
    else:
        keys = tuple(rows[0])
        connection.exec_driver_sql(_insert_arrays(table, keys, on_conflict), tuple(_arrays(table, keys, rows)))


def _execute_many(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], on_conflict: OnConflict
) -> None:
    constants = {key: value for key, value in _defaults(table).items() if key not in rows[0]}
    columns = [table.columns[key] for key in (*rows[0], *constants)]
    values = _columns_for_sqlite(table, tuple(rows[0]), rows)
    values += [[value] * len(rows) for value in constants.values()]
    places, conflict = ", ".join("?" * len(columns)), _conflict(table, columns, on_conflict)
    statement = f"INSERT INTO {table.name} ({_names(columns)}) VALUES ({places}){conflict}"
    connection.exec_driver_sql(statement, list(zip(*values, strict=True)))


def _copy(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    constants = {key: value for key, value in _defaults(table).items() if key not in rows[0]}
    columns = [table.columns[key] for key in (*rows[0], *constants)]
    given = [(key, isinstance(table.columns[key].type, JSON)) for key in rows[0]]
    driver: Any = connection.connection.driver_connection
    statement = f"COPY {table.name} ({_names(columns)}) FROM STDIN"
    with errors_of_sqlalchemy(connection, statement), driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([_in_json(row[key]) if json else row[key] for key, json in given] + [*constants.values()])


def update_rows(
    connection: Connection, model: Any, rows: Sequence[Mapping[str, Any]], by: tuple[str, ...], only: str,
    also: str = "",
) -> None:  # fmt: skip
    """Update rows, each with the same keys, by one statement: SQLite copies each page that one changes, once for each.

    by: the columns that find a row. only: a condition in SQL. also: what is the same for all rows, in SQL.
    """
    table = cast(Table, model.__table__)
    keys, how = tuple(rows[0]), (by, only, also)
    if connection.dialect.name == "postgresql":
        statement = _update(table, keys, *how, rows=None)
        connection.exec_driver_sql(statement, tuple(_arrays(table, keys, rows)))
        return
    for begin in range(0, len(rows), MOST_LISTED):
        part = rows[begin : begin + MOST_LISTED]
        listed = zip(*_columns_for_sqlite(table, keys, part), strict=True)
        connection.exec_driver_sql(_update(table, keys, *how, rows=len(part)), tuple(chain.from_iterable(listed)))


def _insert(connection: Connection, model: Any, on_conflict: OnConflict) -> Any:
    if on_conflict is OnConflict.IGNORE:
        return insert_or_ignore(connection, model)
    return insert_or_replace(connection, model) if on_conflict is OnConflict.REPLACE else _plain_insert(model)


@cache
def _plain_insert(model: Any) -> Any:
    return insert(model.__table__)


@cache
def _defaults(table: Table) -> dict[str, Any]:
    """The constants that SQLAlchemy inserts where a row has no value."""
    defaults = {column.key: column.default for column in table.columns}
    return {key: cast(Any, default).arg for key, default in defaults.items() if default and default.is_scalar}


def _arrays(table: Table, keys: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    in_json = {key for key in keys if isinstance(table.columns[key].type, JSON)}
    columns = ((key, [row[key] for row in rows]) for key in keys)
    return [_written(values, _in_json) if key in in_json else values for key, values in columns]


def _columns_for_sqlite(table: Table, keys: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    values = _arrays(table, keys, rows)
    for place, key in enumerate(keys):
        if isinstance(table.columns[key].type, Uuid):
            values[place] = _written(values[place], attrgetter("hex"))
    return values


def _written(values: Iterable[Any], how: Callable[[Any], str | None]) -> list[str | None]:
    """Each value as text. What is the very value of the row before, as columns of like jobs are, is written once."""
    last, text, texts = None, None, []
    for value in values:
        if value is not last:
            last, text = value, None if value is None else how(value)
        texts.append(text)
    return texts


def _in_json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


@cache
def _insert_arrays(table: Table, keys: tuple[str, ...], on_conflict: OnConflict) -> str:
    columns = [table.columns[key] for key in keys]
    statement = f"INSERT INTO {table.name} ({_names(columns)}) SELECT * FROM {_unnested(columns)}"
    return statement + _conflict(table, columns, on_conflict)


def _conflict(table: Table, columns: Sequence[Column[Any]], on_conflict: OnConflict) -> str:
    if on_conflict is OnConflict.FAIL:
        return ""
    if on_conflict is OnConflict.IGNORE:
        return " ON CONFLICT DO NOTHING"
    others = ", ".join(f'"{each.name}" = excluded."{each.name}"' for each in columns if not each.primary_key)
    return f" ON CONFLICT ({_names(list(table.primary_key))}) DO UPDATE SET {others}"


@lru_cache(maxsize=128)
def _update(
    table: Table, keys: tuple[str, ...], by: tuple[str, ...], only: str, also: str, rows: int | None
) -> str:  # fmt: skip
    """The UPDATE from arrays, or on SQLite from a list of so many rows."""
    columns = [table.columns[key] for key in keys]
    new = ", ".join(f'"{each.name}" = new."{each.name}"' for each in columns if each.key not in by)
    same = " AND ".join(f'{table.name}."{each.name}" = new."{each.name}"' for each in columns if each.key in by)
    given = f"{_unnested(columns)} AS new ({_names(columns)})" if rows is None else _listed(columns, rows)
    new = f"{new}, {also}" if also else new
    return f"UPDATE {table.name} SET {new} FROM {given} WHERE {same} AND {table.name}.{only}"


def _names(columns: Sequence[Column[Any]]) -> str:
    return ", ".join(f'"{column.name}"' for column in columns)


def _listed(columns: Sequence[Column[Any]], rows: int) -> str:
    names = ", ".join(f'column{place} AS "{column.name}"' for place, column in enumerate(columns, 1))
    row = f"({', '.join('?' * len(columns))})"
    return f"(SELECT {names} FROM (VALUES {', '.join([row] * rows)})) AS new"


def _unnested(columns: Sequence[Column[Any]]) -> str:
    types = (column.type.compile(postgresql()) for column in columns)
    return f"unnest({', '.join(f'%s::{name}[]' for name in types)})"
