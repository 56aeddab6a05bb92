"""Submissions that were checked and not stored."""

from collections.abc import Mapping
from typing import Any

from pydantic import with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from gradyard.shapes.base import EXTRA_FIELDS_ARE_KEPT, Answer
from gradyard.shapes.jobs import JobWarning


class JobChecked(Answer):
    """What a job would be: its spec with every default, the numbers computed from it, warnings. Nothing was stored."""

    spec: Mapping[str, Any]
    resolved: Mapping[str, Any] | None = None
    warnings: tuple[JobWarning, ...] = ()


@with_config(EXTRA_FIELDS_ARE_KEPT)
class MemberWarnings(TypedDict):
    """What the sender should know about jobs of a batch: a pointer into their specs, how many, what the first says."""

    pointer: str
    count: int
    message: str


class BatchChecked(Answer):
    """What a batch would be: how many jobs, the spec of the first with every default. Nothing was stored."""

    size: int
    first: Mapping[str, Any]
    warnings: tuple[MemberWarnings, ...] = ()
