"""What clients were told about deletes, retries, batch cancels and pipelines: the checker compares the rows with it."""

from dataclasses import dataclass, field


@dataclass
class Told:
    """Ids are those of jobs and batches, as text. `wrong`: answers that broke an invariant by themselves."""

    deleted: set[str] = field(default_factory=set)  # answered with 204, or with 410 where an answer was lost
    replaced: dict[str, str] = field(default_factory=dict)  # the old job of a retry, and the new one
    of_batch: set[str] = field(default_factory=set)  # those of `replaced` that were retried with their batch
    cancelled_batches: dict[str, dict[str, str]] = field(default_factory=dict)  # the state of each member after it
    ended: dict[str, tuple[str, float]] = field(default_factory=dict)  # a deleted link's state, and seconds since 1970
    ran_after: set[str] = field(default_factory=set)  # jobs that succeeded after those that they depend on
    failed_with: set[str] = field(default_factory=set)  # and those that failed with them
    wrong: list[tuple[str, str]] = field(default_factory=list)  # (invariant, what)

    def find_wrong(self, invariant: str, what: str) -> None:
        """Note an answer that broke this invariant."""
        self.wrong.append((invariant, what))
