"""Jobs and all that belongs to one, and the problem that every error is."""

from typing import Any

from pydantic import AwareDatetime, BaseModel, Field, NonNegativeInt

from gradyard.jobs.states import Reason, State


class Problem(BaseModel):
    """What went wrong (RFC 9457); `type` is one word for programs, `errors` says which fields of the request."""

    type: str
    title: str
    status: int
    detail: str
    errors: list["FieldError"] = []


class FieldError(BaseModel):
    """One thing wrong with a request: a JSON pointer (RFC 6901) to it, and what."""

    pointer: str
    message: str


class Waiting(BaseModel):
    """Why a queued job is not running; lists, and the answer to a submission, leave out position and start."""

    position: int | None
    reason: str
    estimated_start_at: AwareDatetime | None


class LossFigures(BaseModel):
    """A loss curve in numbers. The loss of step t belongs to the weights before update t."""

    first: float | None
    last: float | None
    min: float | None
    min_step: NonNegativeInt | None
    diverged_at: NonNegativeInt | None


class Timings(BaseModel):
    """Where a job's time went; training of all attempts together."""

    queued_seconds: float
    setup_seconds: float
    train_seconds: float
    steps_per_second: float | None
    pack_size: int | None
    records: int
    attempts: int


class JobResult(BaseModel):
    """What came of a job; a failed or cancelled one has its losses and timings only."""

    coefficients: dict[str, float] | None
    formula: str | None
    loss: LossFigures
    timings: Timings
    environment: dict[str, Any] | None


class Warned(BaseModel):
    """Something that the sender of a job should know, and the field of the spec that it is about."""

    pointer: str
    message: str


class Job(BaseModel):
    """A job: what was asked, where it stands, what came of it."""

    id: str
    state: State
    stage: str
    name: str | None
    tags: dict[str, str]
    spec: dict[str, Any]
    resolved: dict[str, Any]
    warnings: list[Warned]
    attempt: int
    submitted_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    steps: int
    steps_done: int
    reason: Reason | None
    message: str | None
    retry_of: str | None
    batch: str | None
    waiting: Waiting | None
    result: JobResult | None


class AttemptLog(BaseModel):
    """The last 64 KiB of what the runner said during one attempt; `truncated` where it said more."""

    attempt: int
    text: str
    truncated: bool


class LogList(BaseModel):
    """What was said, by attempt."""

    logs: list[AttemptLog]


class JobList(BaseModel):
    """Jobs, the newest first, and the cursor of those that follow."""

    jobs: list[Job]
    next_cursor: str | None


class Losses(BaseModel):
    """Some steps of a loss curve, its first, last, lowest and highest among them."""

    steps: list[int]
    losses: list[float | None]


class Event(BaseModel):
    """One move of a job."""

    sequence: int
    from_state: State | None = Field(alias="from")
    to_state: State = Field(alias="to")
    attempt: int
    actor: str
    at: AwareDatetime
    detail: str | None


class EventList(BaseModel):
    """The moves of a job, the oldest first."""

    events: list[Event]
