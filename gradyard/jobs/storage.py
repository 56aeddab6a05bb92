"""What a project stores, by kind, and which jobs that have ended it keeps."""

from dataclasses import dataclass
from enum import StrEnum

LARGEST = 2**63 - 1  # of a number of jobs or bytes, as the databases store it
MOST_DAYS = 36_525.0  # a hundred years


class StoredKind(StrEnum):
    """A kind of what jobs store."""

    LOSSES = "losses"
    METRICS = "metrics"
    ARTIFACTS = "artifacts"
    CHECKPOINTS = "checkpoints"
    LOGS = "logs"
    EVENTS = "events"
    SPECS = "specs"


FILES = "files"
"""What a project stores beside what its jobs do: files that were sent in."""
STORED = (*StoredKind, FILES)


@dataclass(frozen=True)
class RetentionRule:
    """Which ended jobs of a project are kept: a job goes as soon as one of these says so. None: it says nothing.

    days: since its end. jobs: the newest ones. bytes: of all ended jobs together; the oldest go. Pinned jobs are kept,
    and count in none of them.
    """

    days: float | None = None
    jobs: int | None = None
    bytes: int | None = None

    @property
    def keeps_all(self) -> bool:
        """Whether it lets no job go."""
        return self == RetentionRule()

    def __str__(self) -> str:
        parts = [
            None if self.days is None else f"{self.days:g} {'day' if self.days == 1 else 'days'}",
            None if self.jobs is None else f"{self.jobs:,} {'job' if self.jobs == 1 else 'jobs'}",
            None if self.bytes is None else f"{self.bytes:,} bytes",
        ]
        return ", ".join(part for part in parts if part is not None) or "all jobs"
