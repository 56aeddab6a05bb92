"""Figures of a column in SQL: median and 95th percentile, exact, alone or with count, lowest, highest and sums.

Between two values the line is straight, as `numpy.quantile` has it. PostgreSQL has such a function. For SQLite a
connection gets one, in which numpy does the work: of a million values in a third of the time of SQLite's own sums.
"""

import sqlite3
from collections.abc import Sequence
from math import fsum
from typing import Any

import numpy as np
from sqlalchemy import Text, TypeDecorator
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

MEDIAN, LATE = 0.5, 0.95
FEW = 50  # values, for which Python's own sort is done before numpy has begun
LARGE, SCALE = 1e150, 2.0**64
"""Losses of jobs that diverged are as large as a number can be, and PostgreSQL fails where a sum of them is none. So
large ones are added in units of a power of two, which changes none of their bits."""


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


Measured = tuple[int, float, float, float, float, float]
"""Of the values of a column: how many, the lowest, the highest, the mean, the median and the 95th percentile."""


class _Measured(TypeDecorator[Measured]):
    """The figures: a list of PostgreSQL, a text of SQLite."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: Any, _: Any) -> Measured | None:
        """The figures; None where there was no value."""
        if value is None or not value[0]:
            return None
        count, least, most, large, others, *late = map(float, value.split() if isinstance(value, str) else value)
        median, p95 = late
        return int(count), least, most, large / count * SCALE + others / count, median, p95


class figures_of(FunctionElement[Measured]):  # noqa: N801 - reads like a SQL function
    """How many numbers a column has, the lowest, highest, mean, median and 95th percentile; None where it has none."""

    type = _Measured()
    inherit_cache = True


@compiles(figures_of, "sqlite")
def _figures_on_sqlite(element: Any, compiler: Any, **how: Any) -> str:
    return f"figures_of({compiler.process(element.clauses, **how)})"


@compiles(figures_of, "postgresql")
def _figures_on_postgresql(element: Any, compiler: Any, **how: Any) -> str:
    column = compiler.process(element.clauses, **how)
    large = f"sum(CASE WHEN abs({column}) >= {LARGE} THEN {column} / {SCALE} END)"
    others = f"sum(CASE WHEN abs({column}) >= {LARGE} THEN NULL ELSE {column} END)"
    sums = f"coalesce({large}, 0), coalesce({others}, 0)"
    late = _on_postgresql(element, compiler, **how)
    return f"(ARRAY[count({column}), min({column}), max({column}), {sums}]::double precision[] || {late})"


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
    """An aggregate of SQLite. Its step is that of a list: a million calls of Python's own would take a second."""

    def __init__(self) -> None:
        self._values: list[float | None] = []
        self.step = self._values.append

    def finalize(self) -> str | None:
        """What is to be known of them, as a text."""
        values = [value for value in self._values if value is not None]
        if not values:
            return None
        return " ".join(map(repr, self._told(values) if len(values) <= FEW else self._told_of_many(values)))

    def _told(self, values: list[float]) -> Sequence[float]:
        values.sort()
        return _between(values, MEDIAN), _between(values, LATE)

    def _told_of_many(self, values: list[float]) -> Sequence[float]:
        found: list[float] = np.quantile(np.array(values, dtype=float), (MEDIAN, LATE)).tolist()
        return found


class _Figures(_Values):
    def _told(self, values: list[float]) -> Sequence[float]:
        late, large = super()._told(values), [value / SCALE for value in values if abs(value) >= LARGE]
        others = fsum(value for value in values if abs(value) < LARGE)
        return len(values), values[0], values[-1], fsum(large), others, *late

    def _told_of_many(self, values: list[float]) -> Sequence[float]:
        array = np.array(values, dtype=float)
        large = np.abs(array) >= LARGE
        sums = float((array[large] / SCALE).sum()), float(array[~large].sum())
        late = np.quantile(array, (MEDIAN, LATE)).tolist()
        return len(values), float(array.min()), float(array.max()), *sums, *late


def _between(ordered: list[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    before = int(place)
    after = min(before + 1, len(ordered) - 1)
    return float(ordered[before] + (ordered[after] - ordered[before]) * (place - before))


def add_to(connection: sqlite3.Connection) -> None:
    """Give a connection of SQLite the functions."""
    for name, aggregate in (("median_and_p95", _Values), ("figures_of", _Figures)):
        connection.create_aggregate(name, 1, aggregate)  # type: ignore[arg-type]  # `step` is an attribute
