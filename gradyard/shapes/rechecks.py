"""What came of training a job once more."""

from typing import Any

from pydantic import NonNegativeInt, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from gradyard.shapes.base import EXTRA_FIELDS_ARE_KEPT


@with_config(EXTRA_FIELDS_ARE_KEPT)
class Recheck(TypedDict):
    """A job that was trained once more, compared bit for bit with the first time.

    `of` is the original, `job` the recheck. `state`: `waiting` until both have ended, then `same`, `differs` or
    `cannot be compared`. `first_different_step` is that of the losses and metrics, null where their curves are equal.
    `conditions` are those that were not the same, as pairs of the original's value and the recheck's.
    """

    of: str
    job: str
    state: str
    first_different_step: NonNegativeInt | None
    differs_in: list[str]
    conditions: dict[str, list[Any]]
    message: str
