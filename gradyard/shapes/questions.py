"""Answers about all jobs of a question: how many there are, their figures in groups, what was done to them."""

from collections.abc import Mapping
from typing import Literal

from pydantic import AwareDatetime, Field, NonNegativeInt, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from gradyard.shapes.base import EXTRA_FIELDS_ARE_KEPT, Answer

Figure = float | AwareDatetime | None


class JobCount(Answer):
    """How many jobs there are."""

    count: NonNegativeInt


@with_config(EXTRA_FIELDS_ARE_KEPT)
class GroupFigures(TypedDict):
    """Of the values that a column has in the jobs of a group: how many, and figures of them; null where there are none.

    Median and p95 are exact, between two values in a straight line. Those of a column of times are times.
    """

    count: NonNegativeInt
    min: Figure
    max: Figure
    mean: Figure
    median: Figure
    p95: Figure


class JobGroup(Answer):
    """Jobs that have the same values in some columns."""

    group: Mapping[str, int | float | str | None] = Field(description="the values, by column; times as texts")
    count: NonNegativeInt
    figures: Mapping[str, GroupFigures] = Field(description="of the columns in `of`, by column")


class JobGroups(Answer):
    """Groups in the order of their values, those without a value first; `more`: others were left out."""

    groups: tuple[JobGroup, ...]
    more: bool


class ActionDone(Answer):
    """What an action did to the jobs of a question: to how many, and how many it left alone, by reason."""

    action: Literal["cancel", "retry", "delete", "tag"]
    count: NonNegativeInt = Field(description="jobs that satisfied the question when it began")
    done: NonNegativeInt
    skipped: Mapping[str, NonNegativeInt] = Field(
        description="`finished`, `unfinished`, `pinned`, `of_others`, `too_many_tags`, `changed`"
    )
