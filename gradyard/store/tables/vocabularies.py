"""Closed vocabularies as CHECK constraints. The words are those of `gradyard.jobs`."""

from collections.abc import Iterable
from typing import get_args

from sqlalchemy import CheckConstraint

from gradyard.jobs.specs.base import Dtype
from gradyard.jobs.stages.stage import COMPILED

DTYPES: tuple[str, ...] = get_args(get_args(Dtype)[0])
ENGINES = ("eager", "gram", *COMPILED)


def in_sql(words: Iterable[str]) -> str:
    """The words as a SQL list for IN."""
    return ", ".join(f"'{word}'" for word in words)


def is_known(column: str, words: Iterable[str]) -> CheckConstraint:
    """CHECK that the column, where it is not NULL, holds one of the words."""
    return CheckConstraint(f"{column} IN ({in_sql(words)})", name=f"{column}_is_known")
