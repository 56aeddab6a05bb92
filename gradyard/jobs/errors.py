"""Everything that can go wrong, as one tree.

GradyardError
├── SettingsInvalid           a variable of the environment is wrong
├── Refused                   the request asks for something that we do not do
│   ├── BodyMalformed         it is no JSON
│   ├── SpecInvalid           it is JSON, but no job: which fields, and why
│   │   └── ApiKeyInvalid        the same of an API key
│   ├── BatchInvalid          it is a batch, but not every member of it is a job
│   ├── IdempotencyKeyReused             the idempotency key came with another body before
│   ├── TooManyApiKeys           somebody has two API keys already
│   └── QueueFull             too much is waiting already
├── NotFound                  there is no such job, stage or worker
│   └── Gone                  there was one, and somebody deleted it
├── SlotTaken                another live worker has the slot, or its GPU
├── IllegalMove               the job's state does not allow that move
├── DatabaseUnavailable       the database does not answer
│   └── StorageFull           it answers, but its disk is full
└── DatabaseNotReady          it answers, but its tables are not those of this version
"""

from dataclasses import dataclass


class GradyardError(Exception):
    """Something went wrong in gradyard."""


class SettingsInvalid(GradyardError):
    """A setting is wrong."""


class Refused(GradyardError):
    """The request cannot be done."""


class BodyMalformed(Refused):
    """The body is not JSON."""


@dataclass(frozen=True)
class FieldProblem:
    """One thing wrong with a request: where (a JSON pointer, RFC 6901) and what."""

    pointer: str
    message: str


class SpecInvalid(Refused):
    """The job spec is not valid."""

    def __init__(self, problems: list[FieldProblem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.pointer or '/'}: {problem.message}" for problem in problems[:5]))


class ApiKeyInvalid(SpecInvalid):
    """The API key that is asked for is not valid."""


class BatchInvalid(Refused):
    """The batch is not valid, and nothing of it is stored."""

    def __init__(self, problems: list[tuple[int, FieldProblem]], total: int) -> None:
        self.problems, self.total = problems, total
        shown = "; ".join(f"job {index}: {each.pointer or '/'}: {each.message}" for index, each in problems[:5])
        super().__init__(f"{total:,} of its jobs are wrong: {shown}")


class IdempotencyKeyReused(Refused):
    """The idempotency key was used with another body before."""


class TooManyApiKeys(Refused):
    """Two keys of that name live already."""


class QueueFull(Refused):
    """Too many jobs are waiting."""


class NotFound(GradyardError):
    """There is no such thing."""


class Gone(NotFound):
    """It was deleted."""


class SlotTaken(GradyardError):
    """Another live worker has this slot, or its GPU."""


class IllegalMove(GradyardError):
    """The job's state does not allow that move."""


class DatabaseUnavailable(GradyardError):
    """The database does not answer."""


class StorageFull(DatabaseUnavailable):
    """The database's disk is full."""


class DatabaseNotReady(GradyardError):
    """The database's tables are not those of this version."""
