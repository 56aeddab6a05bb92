"""Pages of jobs in the order of a column. Jobs without a value of it are not in such a list.

Of equal values the older job comes first, or the newer one where the largest value does.
"""

import base64
import binascii
import math
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection

from gradyard.jobs.errors import FieldProblem, SpecInvalid
from gradyard.jobs.questions.nodes import can_be_stored
from gradyard.jobs.questions.order import Order
from gradyard.jobs.questions.terms import Column, Kind, Term
from gradyard.jobs.states import State
from gradyard.store.queries.jobs import Page, jobs_by_ids
from gradyard.store.queries.questions.curves import asks_for_curves
from gradyard.store.queries.questions.live_metrics import live_in_batch, with_live_metrics
from gradyard.store.queries.questions.ordered_rows import Asked, Rows, rows_by_curves, rows_in_order

LARGEST = 2**63 - 1


def jobs_in_order(
    connection: Connection, project_id: int, order: Order, question: Term | None, *, limit: int,
    cursor: str | None = None, state: State | None = None, stage: str | None = None, batch: UUID | None = None,
) -> Page:  # fmt: skip
    """A page of jobs in that order, all or those that satisfy a question.

    A page that is not the last may have fewer than `limit`, where the question is one about curves and a second was
    over. batch: one of this project. Raises SpecInvalid where the cursor is not one that this service gave for such
    an order.
    """
    after = None if cursor is None else _in(cursor, order)
    order = replace(order, column=live_in_batch(connection, project_id, batch, order.column))
    question = question and with_live_metrics(connection, project_id, batch, question)
    asked = Asked(project_id, order, question, state, stage, batch)
    rows_of = rows_by_curves if question is not None and asks_for_curves(question) else rows_in_order
    return _page(connection, asked, rows_of(connection, asked, limit + 1, after), limit)


def _page(connection: Connection, asked: Asked, found: Rows, limit: int) -> Page:
    """The page of the first `limit` of these."""
    more, shown = len(found.rows) > limit, found.rows[:limit]
    jobs = jobs_by_ids(connection, asked.project_id, [row.job_id for row in shown])
    place = (shown[-1].value, shown[-1].job_id) if more else found.looked_to
    return Page(jobs, None if place is None else cursor_of(asked.order, *place))


def cursor_of(order: Order, value: Any, job_id: UUID) -> str:
    """The cursor of the page after the one that ends with this value and job; opaque to clients."""
    told = [value.hex()] if isinstance(value, float) else value  # every bit of it
    told = str(value) if isinstance(value, UUID) else told
    return base64.urlsafe_b64encode(b"4" + orjson.dumps([_name(order), told, job_id.hex])).decode().rstrip("=")


def _name(order: Order) -> str:
    column = order.column
    return f"{'-' if order.descending else ''}{column.source}.{column.name}.{column.figure}"


def _in(cursor: str, order: Order) -> tuple[Any, UUID]:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if raw[:1] != b"4":
            raise ValueError
        name, told, job_id = orjson.loads(raw[1:])
        if name != _name(order):
            raise ValueError
        return _value(told, order.column), UUID(job_id)
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError, binascii.Error):
        message = "is not a cursor that this service gave for such an order"
        raise SpecInvalid([FieldProblem("/cursor", message)]) from None


def _value(told: Any, column: Column) -> Any:
    """The value in a cursor. Raises ValueError, or one of those above, where it is none of that column."""
    if isinstance(told, list):
        value: Any = float.fromhex(told[0])
        fits = column.kind is not Kind.TEXT and math.isfinite(value)
    elif isinstance(told, str):
        value = UUID(told) if column.is_id else told
        fits = column.kind is Kind.TEXT and can_be_stored(told)
    else:
        value, fits = told, type(told) is int and column.kind is not Kind.TEXT and abs(told) <= LARGEST
    if not fits:
        raise ValueError(told)
    return value
