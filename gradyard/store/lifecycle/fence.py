"""What a worker may still write of a job."""

from typing import NamedTuple
from uuid import UUID


class Fence(NamedTuple):
    """One attempt of a job under one claim. A write that carries it does nothing once the job is another's.

    The attempt alone would not do: a database that lost its last commits gives the same number to the next claim.
    """

    job_id: UUID
    attempt: int
    claim_id: UUID | None
