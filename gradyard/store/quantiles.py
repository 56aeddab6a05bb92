"""Median and 95th percentile in SQL, exact: between two values in a straight line, as `numpy.quantile` has it.

PostgreSQL has such a function. For SQLite a connection gets one, in which numpy does the work.
"""

import sqlite3
from typing import Any

import numpy as np
from sqlalchemy import Text, TypeDecorator
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

MEDIAN, LATE = 0.5, 0.95
FEW = 50  # values, for which Python's own sort is done before numpy has begun


class _Pair(TypeDecorator[tuple[float, float]]):
    """Two numbers: a list of PostgreSQL, a text of SQLite."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: Any, _: Any) -> tuple[float, float] | None:
        """The pair; None where there was no value."""
        if value is None:
            return None
        median, late = value.split() if isinstance(value, str) else value
        return float(median), float(late)


class median_and_p95(FunctionElement[tuple[float, float]]):  # noqa: N801 - reads like a SQL function
    """The median and the 95th percentile of a column of numbers; None where it has none."""

    type = _Pair()
    inherit_cache = True


@compiles(median_and_p95, "sqlite")
def _on_sqlite(element: Any, compiler: Any, **how: Any) -> str:
    return f"median_and_p95({compiler.process(element.clauses, **how)})"


@compiles(median_and_p95, "postgresql")
def _on_postgresql(element: Any, compiler: Any, **how: Any) -> str:
    column = compiler.process(element.clauses, **how)
    return f"percentile_cont(ARRAY[{MEDIAN}, {LATE}]) WITHIN GROUP (ORDER BY {column})"


class _Values:
    """The aggregate of SQLite. Its step is that of a list: a million calls of Python's own would take a second."""

    def __init__(self) -> None:
        self._values: list[float | None] = []
        self.step = self._values.append

    def finalize(self) -> str | None:
        """Both, as a text."""
        values = [value for value in self._values if value is not None]
        if not values:
            return None
        if len(values) > FEW:
            return " ".join(map(repr, np.quantile(np.array(values, dtype=float), (MEDIAN, LATE)).tolist()))
        values.sort()
        return f"{_between(values, MEDIAN)!r} {_between(values, LATE)!r}"


def _between(ordered: list[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    before = int(place)
    after = min(before + 1, len(ordered) - 1)
    return float(ordered[before] + (ordered[after] - ordered[before]) * (place - before))


def add_to(connection: sqlite3.Connection) -> None:
    """Give a connection of SQLite the function."""
    connection.create_aggregate("median_and_p95", 1, _Values)  # type: ignore[arg-type]  # `step` is an attribute
