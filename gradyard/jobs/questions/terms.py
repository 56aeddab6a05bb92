"""What a question consists of once it is read: comparisons of columns and values, and `and`, `or`, `not` of them."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    """What a column holds. `any`: a parameter, which is a number in some jobs and a text in others."""

    NUMBER = "number"
    TEXT = "text"
    TIME = "time"
    ANY = "any"


class Source(StrEnum):
    """Where a column's values lie."""

    FIELD = "field"
    PARAMETER = "parameter"
    TAG = "tag"
    METRIC = "metric"
    CURVE = "curve"


@dataclass(frozen=True)
class Column:
    """A column by its name.

    figure: of a metric, `last` for example. below: of `first_below(9)`, which is read from the curve of losses, 9.
    live: of a metric its value so far in jobs that have not ended, by their ids as 32 digits; the store fills it in.
    """

    source: Source
    name: str
    kind: Kind
    figure: str = ""
    below: float = 0.0
    live: tuple[tuple[str, float], ...] = field(default=(), compare=False, repr=False)

    @property
    def is_id(self) -> bool:
        """Whether its texts are ids, which have no order as texts."""
        return self.source is Source.FIELD and self.name in ("batch", "retry_of", "recheck_of")


Value = float | str
"""A number, a text, or the seconds of a time since 1970."""


@dataclass(frozen=True)
class Comparison:
    """`column operator value`; the operator is one of <, <=, >, >=, ==, !=. The value may be another column."""

    column: Column
    operator: str
    value: Value | Column


@dataclass(frozen=True)
class OneOf:
    """`column in (values)`."""

    column: Column
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Missing:
    """`column is None`."""

    column: Column


@dataclass(frozen=True)
class Among:
    """The job is one of these: what a part of a question becomes when the curves of its jobs were read."""

    job_ids: frozenset[UUID]


@dataclass(frozen=True)
class Not:
    """`not term`."""

    term: "Term"


@dataclass(frozen=True)
class All:
    """`term and term`."""

    terms: tuple["Term", ...]


@dataclass(frozen=True)
class Any:
    """`term or term`."""

    terms: tuple["Term", ...]


Term = Comparison | OneOf | Missing | Among | Not | All | Any
"""A question. A missing value satisfies no comparison, so `not` of one is true of it."""


def in_state(state: str | None) -> Comparison | None:
    """Whether a job is in that state; None where none is given."""
    return None if state is None else Comparison(Column(Source.FIELD, "state", Kind.TEXT), "==", state)
