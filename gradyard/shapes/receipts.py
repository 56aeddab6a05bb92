"""The receipt of a job: what it was, as hashes."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from gradyard.jobs.states import State
from gradyard.shapes.base import EXTRA_FIELDS_ARE_KEPT, Answer


@with_config(EXTRA_FIELDS_ARE_KEPT)
class HashedCurve(TypedDict):
    """Numbers in their order: the dtype in numpy's words, how many, and the SHA-256 of their bytes."""

    count: int
    dtype: str
    sha256: str


@with_config(EXTRA_FIELDS_ARE_KEPT)
class HashedArray(TypedDict):
    """An array: the dtype in numpy's words, its shape, and the SHA-256 of its bytes in C order."""

    dtype: str
    sha256: str
    shape: list[int]


class Receipt(Answer):
    """What a finished job was, as SHA-256 hashes in hexadecimal. Times are in the words of the job's own JSON.

    Fields are in the order of their names, as canonical JSON has them.
    """

    artifacts: Mapping[str, HashedArray]
    attempts: int
    coefficients_sha256: str | None
    dataset: Mapping[str, str]
    diverged_at: int | None
    engine: str | None
    environment: Mapping[str, Any] | None
    job: str
    losses: HashedCurve
    metrics: Mapping[str, HashedCurve]
    numerics_version: int | str
    reason: str | None
    receipt: int = Field(description="the form of the receipt")
    resolved_sha256: str
    scaled_coefficients_sha256: str | None
    sha256: str = Field(description="of the canonical JSON of all the other fields")
    spec_sha256: str
    stage: str
    state: State
    steps_done: int
    times: Mapping[str, str | None]
