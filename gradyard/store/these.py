"""Rows of some thousand ids, told to the database in one value: a parameter for each would take ten times as long."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    select,
    type_coerce,
)
from sqlalchemy.types import NullType

DriverId = UUID | str
"""An id as the driver of the database gives it: a UUID on PostgreSQL, 32 hexadecimal digits on SQLite, which sort as
the UUIDs do. To make UUIDs of a thousand ids takes milliseconds."""


def as_driver_id(dialect: Dialect, one: UUID) -> DriverId:
    """An id as this database's driver gives it."""
    return one.hex if dialect.name == "sqlite" else one


def with_driver_ids(query: Select[Any]) -> Select[tuple[Any]]:
    """The query for ids, which then come as the driver gives them."""
    return query.with_only_columns(type_coerce(query.selected_columns[0], NullType()), maintain_column_froms=True)


def these(connection: Connection, ids: Iterable[DriverId]) -> Select[tuple[UUID]]:
    """A query for these ids, for use as `column.in_(these(connection, ids))`."""
    if connection.dialect.name == "sqlite":
        return _each_of(bindparam("these", told(connection.dialect, ids), Text, unique=True))
    return select(func.unnest(bindparam("these", list(ids), ARRAY(Uuid), unique=True)))


def is_among(dialect: Dialect, column: Any, name: str) -> ColumnElement[bool]:
    """Whether a column is one of the ids that are `told` as the parameter of that name when a statement is executed."""
    if dialect.name == "sqlite":
        return column.in_(_each_of(bindparam(name, type_=Text)))
    # No type and no cast: psycopg sends a text without a type, so the server reads it once, as an array. A cast
    # would be made again for each row.
    return column == any_(bindparam(name, type_=NullType))


def told(dialect: Dialect, ids: Iterable[DriverId]) -> str:
    """The ids as the one text that `is_among` takes: JSON, or PostgreSQL's text of an array (psycopg's are slow)."""
    digits = [one.hex if isinstance(one, UUID) else one for one in ids]
    return orjson.dumps(digits).decode() if dialect.name == "sqlite" else "{" + ",".join(digits) + "}"


def _each_of(value: Any) -> Select[tuple[UUID]]:
    return select(func.json_each(value).table_valued("value").c.value)
