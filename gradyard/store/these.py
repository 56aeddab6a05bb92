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
    String,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    select,
    type_coerce,
)

StoredId = UUID | str
"""An id as the driver has it, on SQLite 32 hexadecimal digits: to make UUIDs of a thousand takes milliseconds. The
stored ids of one database have the order of its ids."""


def stored(dialect: Dialect, one: UUID) -> StoredId:
    """An id in that form."""
    return one.hex if dialect.name == "sqlite" else one


def as_stored(query: Select[Any]) -> Select[tuple[Any]]:
    """A query for ids that gives them in that form."""
    return query.with_only_columns(type_coerce(query.selected_columns[0], String), maintain_column_froms=True)


def these(connection: Connection, ids: Iterable[StoredId]) -> Select[tuple[UUID]]:
    """A query for these ids, for use as `column.in_(these(connection, ids))`."""
    value = bindparam("these", told(connection.dialect, ids), _type(connection.dialect), unique=True)
    return _each_of(value) if connection.dialect.name == "sqlite" else select(func.unnest(value))


def is_among(dialect: Dialect, column: Any, name: str) -> ColumnElement[bool]:
    """Whether a column is one of the ids that are `told` as the parameter of that name when a statement is executed."""
    value = bindparam(name, type_=_type(dialect))
    among: ColumnElement[bool] = column.in_(_each_of(value)) if dialect.name == "sqlite" else column == any_(value)
    return among


def told(dialect: Dialect, ids: Iterable[StoredId]) -> Any:
    """The ids as the one value that the database takes."""
    if dialect.name != "sqlite":
        return list(ids)
    return orjson.dumps([one.hex if isinstance(one, UUID) else one for one in ids]).decode()


def _type(dialect: Dialect) -> Any:
    return Text() if dialect.name == "sqlite" else ARRAY(Uuid)


def _each_of(value: Any) -> Select[tuple[UUID]]:
    return select(func.json_each(value).table_valued("value").c.value)
