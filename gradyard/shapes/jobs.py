"""A job. What it contains are typed dicts, so that `job.timings["pack_size"]` works as in the JSON itself."""

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired

from pydantic import AwareDatetime, ConfigDict, Field, NonNegativeInt, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from gradyard.jobs.states import FINISHED, Reason, State
from gradyard.shapes.base import Answer

EXTRA_FIELDS_ARE_KEPT = ConfigDict(extra="allow")


@with_config(EXTRA_FIELDS_ARE_KEPT)
class Waiting(TypedDict):
    """Why a queued job is not running. Lists, and the answer to a submission, leave position and start null."""

    position: int | None
    reason: str
    estimated_start_at: AwareDatetime | None


@with_config(EXTRA_FIELDS_ARE_KEPT)
class LossFigures(TypedDict):
    """A loss curve in numbers. The loss of step t belongs to the weights before update t.

    `attainable` is the loss of least squares; null where the loss is no quadratic of the coefficients.
    """

    first: float | None
    last: float | None
    min: float | None
    min_step: NonNegativeInt | None
    diverged_at: NonNegativeInt | None
    attainable: NotRequired[float | None]  # older services have none


@with_config(EXTRA_FIELDS_ARE_KEPT)
class Timings(TypedDict):
    """Where a job's time went. `train_seconds` is the sum over all attempts."""

    queued_seconds: float
    setup_seconds: float
    train_seconds: float
    steps_per_second: float | None
    pack_size: int | None
    records: int
    attempts: int


@with_config(EXTRA_FIELDS_ARE_KEPT)
class JobResult(TypedDict):
    """The result of a job. A failed or cancelled job has its losses and timings only.

    Coefficients and formula are in the units of the data as sent; `scaled_coefficients` are those that were trained,
    where the job has a `scale`.
    """

    coefficients: dict[str, float] | None
    scaled_coefficients: NotRequired[dict[str, float] | None]
    formula: str | None
    loss: LossFigures
    timings: Timings
    environment: dict[str, Any] | None


@with_config(EXTRA_FIELDS_ARE_KEPT)
class JobWarning(TypedDict):
    """Something that the sender of a job should know, and a JSON pointer to the field of the spec."""

    pointer: str
    message: str


class Job(Answer):
    """A job: its spec, its state, and its result once it is finished. Times are in UTC."""

    id: str
    state: State
    stage: str
    name: str | None = None
    tags: Mapping[str, str] = {}
    spec: Mapping[str, Any] = {}
    resolved: Mapping[str, Any] | None = None
    warnings: tuple[JobWarning, ...] = ()
    attempt: int = 0
    submitted_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    steps: int = 0
    steps_done: int = 0
    reason: Annotated[Reason | str, Field(union_mode="left_to_right")] | None = None  # a newer service may have more
    message: str | None = None
    retry_of: str | None = None
    replaced_by: str | None = None
    batch: str | None = None
    precedence: int = 0
    waiting: Waiting | None = None
    result: JobResult | None = None

    @property
    def finished(self) -> bool:
        """Whether the state is final."""
        return self.state in FINISHED

    @property
    def succeeded(self) -> bool:
        """Whether the job trained to its last step."""
        return self.state is State.SUCCEEDED

    @property
    def formula(self) -> str | None:
        """The fitted formula, as the tutorial prints it; None before success and for plug-ins without a formula."""
        return self.result["formula"] if self.result else None

    @property
    def coefficients(self) -> Mapping[str, float] | None:
        """The fitted coefficients by letter, in order; None where there is no formula."""
        return self.result["coefficients"] if self.result else None

    @property
    def loss(self) -> Mapping[str, Any]:
        """The loss in numbers: first, last, min, min_step, diverged_at; empty while there is no result."""
        return self.result["loss"] if self.result else {}

    @property
    def timings(self) -> Mapping[str, Any]:
        """Where the time went: queued_seconds, train_seconds, steps_per_second, …; empty while there is no result."""
        return self.result["timings"] if self.result else {}

    @property
    def environment(self) -> Mapping[str, Any]:
        """What trained the job: device, engine, versions, …; empty before success."""
        return (self.result["environment"] if self.result else None) or {}


class JobList(Answer):
    """Jobs, the newest first. `next_cursor` asks for the next page; null on the last one."""

    jobs: tuple[Job, ...]
    next_cursor: str | None
