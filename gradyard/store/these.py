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
    value = bindparam("these", told(connection.dialect, ids), _type(connection.dialect), unique=True)
    return _each_of(value) if connection.dialect.name == "sqlite" else select(func.unnest(value))


def is_among(dialect: Dialect, column: Any, name: str) -> ColumnElement[bool]:
    """Whether a column is one of the ids that are `told` as the parameter of that name when a statement is executed."""
    value = bindparam(name, type_=_type(dialect))
    among: ColumnElement[bool] = column.in_(_each_of(value)) if dialect.name == "sqlite" else column == any_(value)
    return among


def told(dialect: Dialect, ids: Iterable[DriverId]) -> Any:
    """The ids as the one value that the database takes."""
    if dialect.name != "sqlite":
        return list(ids)
    return orjson.dumps([one.hex if isinstance(one, UUID) else one for one in ids]).decode()


def _type(dialect: Dialect) -> Any:
    return Text() if dialect.name == "sqlite" else ARRAY(Uuid)


def _each_of(value: Any) -> Select[tuple[UUID]]:
    return select(func.json_each(value).table_valued("value").c.value)
