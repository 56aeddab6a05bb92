"""Pages of a list in the order of columns. Cursors hold the last row's values of these, and are opaque to clients."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, NoReturn
from uuid import UUID

import orjson
from sqlalchemy import Connection, Row, bindparam, tuple_

from gradyard.jobs.errors import FieldProblem, SpecInvalid

LARGEST = 2**31 - 1


def page_by(
    connection: Connection, query: Any, by: Sequence[Any], *, limit: int | None, cursor: str | None,
    descending: bool = False,
) -> tuple[list[Row[Any]], str | None]:  # fmt: skip
    """A page in the order of these columns, which the query has and which together name a row, and the next cursor.

    limit: None for all rows. Raises SpecInvalid where the cursor is not one that this service gave for such a list.
    """
    if cursor is not None:
        values = zip(by, _values_in(cursor, by), strict=True)
        here, last = tuple_(*by), tuple_(*(bindparam(None, value, column.type) for column, value in values))
        query = query.where(here < last if descending else here > last)
    order = [column.desc() for column in by] if descending else by
    rows = list(connection.execute(query.order_by(*order).limit(None if limit is None else limit + 1)))
    if limit is None or len(rows) <= limit:
        return rows, None
    return rows[:limit], _cursor([getattr(rows[limit - 1], column.key) for column in by])


def _cursor(values: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(b"3" + orjson.dumps(values)).decode().rstrip("=")


def _values_in(cursor: str, by: Sequence[Any]) -> list[Any]:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        told = orjson.loads(raw[1:])
        if raw[:1] != b"3" or not isinstance(told, list) or len(told) != len(by):
            raise ValueError
        return [_value(column.type.python_type, value) for column, value in zip(by, told, strict=True)]
    except (ValueError, TypeError, binascii.Error):
        raise SpecInvalid([FieldProblem("/cursor", "is not a cursor that this service gave for such a list")]) from None


def _value(kind: type, told: Any) -> Any:
    """What stands in a cursor for a value of that kind. Raises ValueError or TypeError where it is none."""
    if kind is UUID:
        return UUID(told) if isinstance(told, str) else _refuse(told)
    if kind is str:
        return told if isinstance(told, str) and "\0" not in told else _refuse(told)
    if kind is float:
        return float(told) if type(told) in (int, float) else _refuse(told)
    return told if type(told) is int and 0 <= told <= LARGEST else _refuse(told)


def _refuse(told: Any) -> NoReturn:
    raise TypeError(told)
