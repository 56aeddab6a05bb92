"""Rows of some thousand ids, told to the database in one value: a parameter for each would take ten times as long."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    Text,
    Uuid,
    bindparam,
    func,
    select,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import NullType

DriverId = UUID | str
"""An id as the driver of the database gives it: a UUID on PostgreSQL, 32 hexadecimal digits on SQLite, which sort as
the UUIDs do. To make UUIDs of a thousand ids takes milliseconds."""


def as_driver_id(dialect: Dialect, one: UUID) -> DriverId:
    """An id as this database's driver gives it."""
    return one.hex if dialect.name == "sqlite" else one


def driver_id(column: Any) -> ColumnElement[Any]:
    """The column of ids, which then come as the driver gives them."""
    return type_coerce(column, NullType())


def with_driver_ids(query: Select[Any]) -> Select[tuple[Any]]:
    """The query for ids, which then come as the driver gives them."""
    return query.with_only_columns(driver_id(query.selected_columns[0]), maintain_column_froms=True)


def these(connection: Connection, ids: Iterable[DriverId]) -> Select[tuple[UUID]]:
    """A query for these ids, for use as `column.in_(these(connection, ids))`."""
    if connection.dialect.name == "sqlite":
        return _each_of(bindparam("these", told(connection.dialect, ids), Text, unique=True))
    return select(func.unnest(bindparam("these", list(ids), ARRAY(Uuid), unique=True)))


class _is_told(FunctionElement[bool]):  # noqa: N801 - reads like a SQL function
    """Whether a column is among the ids that a parameter tells. Its two clauses are the column and the parameter."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """As it is: SQLAlchemy would write `= 1` behind it on SQLite, which then reads the whole table."""
        return self


@compiles(_is_told, "sqlite")
def _told_sqlite(element: Any, compiler: Any, **how: Any) -> str:
    column, ids = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"


@compiles(_is_told, "postgresql")
def _told_postgresql(element: Any, compiler: Any, **how: Any) -> str:
    # The text has no type (NullType) and no cast, so the server reads it once, as an array. A cast would be made again
    # for each row.
    column, ids = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} = ANY ({ids})"


def is_among(column: Any, name: str) -> ColumnElement[bool]:
    """Whether a column is one of the ids that are `told` as the parameter of that name when a statement is executed.

    Also for one id this takes less time than `in_`: SQLAlchemy writes a list for IN anew at each execution.
    """
    return _is_told(column, bindparam(name, type_=NullType()))


def told(dialect: Dialect, ids: Iterable[DriverId]) -> str:
    """The ids as the one text that `is_among` takes: JSON, or PostgreSQL's text of an array (psycopg's are slow)."""
    digits = [one.hex if isinstance(one, UUID) else one for one in ids]
    return orjson.dumps(digits).decode() if dialect.name == "sqlite" else "{" + ",".join(digits) + "}"


def _each_of(value: Any) -> Select[tuple[UUID]]:
    return select(func.json_each(value).table_valued("value").c.value)
