"""Everything that can go wrong, as one tree.

GradyardError
├── SettingsInvalid           an environment variable is wrong
├── Refused                   the request cannot be done as it is
│   ├── BodyMalformed         the body is not JSON
│   ├── SpecInvalid           the body is not a valid job: which fields, and why
│   │   ├── ApiKeyInvalid     the body is not a valid API key
│   │   └── BodyInvalid       the body says how to do something, and is not valid
│   ├── BatchInvalid          some jobs of the batch are not valid
│   ├── FileInvalid           the file cannot be read as data
│   │   └── FormatUnsupported this host cannot read files of that format
│   ├── IdempotencyKeyReused  the idempotency key came with another body before
│   ├── TooManyApiKeys        there are two live API keys of that name already
│   ├── WebhookOff            the webhook is switched off, and sends nothing
│   ├── QueueFull             too many jobs wait already
│   ├── CountChanged          a question has another number of jobs by now
│   ├── StorageQuotaExceeded  the project stores more than it may
│   └── AmbiguousId           several ids begin like that
├── NotFound                  there is no such job, batch, stage or worker
│   └── Gone                  it was deleted
├── ContentUnavailable        where files are kept does not answer, or takes none
│   └── ContentMissing        a file is no longer there
├── SlotTaken                 another live worker has the slot or its GPU
├── IllegalMove               the job's state does not allow that move
├── DatabaseUnavailable       the database does not answer, or takes no writes
│   ├── DatabaseReadOnly      it answers, and takes no writes
│   └── StorageFull           the database's disk is full
└── DatabaseNotReady          the tables of the database are not those of this version
"""

from dataclasses import dataclass
from uuid import UUID


class GradyardError(Exception):
    """Something went wrong in gradyard."""


class SettingsInvalid(GradyardError):
    """A setting is not valid."""


class Refused(GradyardError):
    """The request cannot be done as it is."""


class BodyMalformed(Refused):
    """The body is not JSON."""


@dataclass(frozen=True)
class FieldProblem:
    """One problem of a request: where (a JSON pointer, RFC 6901) and what."""

    pointer: str
    message: str


class SpecInvalid(Refused):
    """The job spec is not valid."""

    def __init__(self, problems: list[FieldProblem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.pointer or '/'}: {problem.message}" for problem in problems[:5]))


class ApiKeyInvalid(SpecInvalid):
    """The request for an API key is not valid."""


class BodyInvalid(SpecInvalid):
    """The body is not valid."""


class BatchInvalid(Refused):
    """The batch is not valid; none of its jobs was stored."""

    def __init__(self, problems: list[tuple[int, FieldProblem]], total: int, *, more: bool = False) -> None:
        self.problems, self.total = problems, total
        shown = "; ".join(f"job {index}: {each.pointer or '/'}: {each.message}" for index, each in problems[:5])
        super().__init__(f"{'at least ' if more else ''}{total:,} of its jobs are not valid: {shown}")


class FileInvalid(Refused):
    """The file cannot be read as data, or has no such column."""


class FormatUnsupported(FileInvalid):
    """This host cannot read files of that format; another one may."""


class IdempotencyKeyReused(Refused):
    """The idempotency key was used with another body before."""


class TooManyApiKeys(Refused):
    """There are two live API keys of that name already."""


class TooManyWebhooks(Refused):
    """The project has as many webhooks as it may have."""


class WebhookOff(Refused):
    """The webhook is switched off."""


class QueueFull(Refused):
    """Too many jobs are waiting."""


class StorageQuotaExceeded(Refused):
    """The project stores more than it may."""


class CountChanged(Refused):
    """The question has another number of jobs by now."""

    def __init__(self, count: int, expected: int) -> None:
        super().__init__(f"{count:,} jobs satisfy the question, not {expected:,}; look at them, and send it again")


@dataclass(frozen=True)
class Candidate:
    """A thing whose id begins like the one that was asked for. A job alone has a stage; the id of a file is no UUID."""

    id: UUID | str
    stage: str | None
    name: str | None
    state: str


class AmbiguousId(Refused):
    """Several ids begin like that."""

    def __init__(self, text: str, kind: str, candidates: list[Candidate], *, more: bool) -> None:
        self.candidates = candidates
        plural, count = "batches" if kind == "batch" else f"{kind}s", f"{'more than ' if more else ''}{len(candidates)}"
        shown = ", ".join(str(each.id) for each in candidates)
        newest = f"; the newest are {shown}" if more else f": {shown}"
        super().__init__(f"the ids of {count} {plural} begin with {text}{newest}; write more digits")


class NotFound(GradyardError):
    """There is no such thing."""


class Gone(NotFound):
    """It was deleted."""


class ContentUnavailable(GradyardError):
    """Where files are kept does not answer, or takes none."""


class ContentMissing(ContentUnavailable):
    """The content of a file is no longer where it was stored."""


class SlotTaken(GradyardError):
    """Another live worker has this slot or its GPU."""


class IllegalMove(GradyardError):
    """The job's state does not allow that move."""


class DatabaseUnavailable(GradyardError):
    """The database does not answer, or takes no writes."""


class DatabaseReadOnly(DatabaseUnavailable):
    """The database takes no writes."""


class StorageFull(DatabaseUnavailable):
    """The database's disk is full."""


class DatabaseNotReady(GradyardError):
    """The database's tables are not those of this version."""
