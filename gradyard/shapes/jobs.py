"""A job. What it contains are typed dicts, so that `job.timings["pack_size"]` works as in the JSON itself."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AwareDatetime, Field, NonNegativeInt, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from gradyard.jobs.states import FINISHED, Reason, State
from gradyard.shapes.base import EXTRA_FIELDS_ARE_KEPT, Answer, Traceable
from gradyard.shapes.rechecks import Recheck


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
class MetricFigures(TypedDict):
    """A metric in numbers, each with the step at which it was measured. `last` is that of the final weights.

    A value that is not finite is never the lowest or highest; as `last` it is null.
    """

    last: float | None
    last_step: NonNegativeInt
    min: float | None
    min_step: NonNegativeInt | None
    max: float | None
    max_step: NonNegativeInt | None


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
    metrics: NotRequired[Mapping[str, MetricFigures]]  # answers on many jobs at once, and older services, have none


@with_config(EXTRA_FIELDS_ARE_KEPT)
class JobWarning(TypedDict):
    """Something that the sender of a job should know, and a JSON pointer to the field of the spec."""

    pointer: str
    message: str


@with_config(EXTRA_FIELDS_ARE_KEPT)
class Dependency(TypedDict):
    """A job or batch that must end before, how, and its state now: that of a batch that has ended is `finished`."""

    id: str
    kind: Literal["job", "batch"]
    condition: Literal["succeeded", "ended"]
    state: str


class Job(Traceable):
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
    submitted_by: str | None = None  # `api:NAME@PROJECT`, the holder of the key; `api`: the administrator
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    steps: int = 0
    steps_done: int = 0
    reason: Annotated[Reason | str, Field(union_mode="left_to_right")] | None = None  # a newer service may have more
    message: str | None = None
    retry_of: str | None = None
    recheck_of: str | None = None
    rechecked_by: str | None = Field(default=None, description="its newest recheck")
    recheck: Recheck | None = Field(
        default=None, description="of one job alone: lists, and other answers, leave it null"
    )
    replaced_by: str | None = None
    batch: str | None = None
    precedence: int = 0
    priority: int = 0
    pinned: bool = False
    depends_on: tuple[Dependency, ...] | None = Field(
        default=None, description="what must end before it is trained; null in answers that do not look"
    )
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
    def metrics(self) -> Mapping[str, MetricFigures]:
        """The metrics in numbers, by name: last, min, max and their steps; empty while there is no result."""
        return self.result.get("metrics", {}) if self.result else {}

    @property
    def timings(self) -> Mapping[str, Any]:
        """Where the time went: queued_seconds, train_seconds, steps_per_second, …; empty while there is no result."""
        return self.result["timings"] if self.result else {}

    @property
    def environment(self) -> Mapping[str, Any]:
        """What trained the job: device, engine, versions, …; empty before success."""
        return (self.result["environment"] if self.result else None) or {}


class JobValues(Answer):
    """A job in a list that was asked for with `fields`: its values by these names, times in RFC 3339."""

    id: str
    values: Mapping[str, int | float | str | None]


class JobList(Answer):
    """Jobs, the newest first. `next_cursor` asks for the next page; null on the last one."""

    jobs: tuple[Job, ...] | tuple[JobValues, ...]
    next_cursor: str | None
    looked_back_to: AwareDatetime | None = Field(
        default=None, description="with `where`: jobs that were submitted before were not looked at for this page"
    )
