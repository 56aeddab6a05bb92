"""What the service answers, as frozen objects. Fields that a newer service adds are kept, as attributes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gradyard.jobs.states import FINISHED, State


class Answer(BaseModel):
    """One object of an answer."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)

    def as_json(self) -> dict[str, Any]:
        """The answer as it came, ready for `json.dumps`."""
        return self.model_dump(mode="json", by_alias=True)


class Job(Answer):
    """A job: what was asked, where it stands, and once it is over, what came of it. Times are in UTC."""

    id: str
    state: State
    stage: str
    name: str | None = None
    spec: Mapping[str, Any] = Field(default_factory=dict)
    resolved: Mapping[str, Any] | None = None
    warnings: tuple[Any, ...] = ()
    attempt: int = 0
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    steps: int = 0
    steps_done: int = 0
    reason: str | None = None
    message: str | None = None
    retry_of: str | None = None
    batch: str | None = None
    waiting: Any = None
    result: Mapping[str, Any] | None = None

    @property
    def finished(self) -> bool:
        """Whether it has reached a state that is final."""
        return self.state in FINISHED

    @property
    def succeeded(self) -> bool:
        """Whether it has trained to its last step."""
        return self.state is State.SUCCEEDED

    @property
    def formula(self) -> str | None:
        """The fitted formula, as the tutorial prints it; None before success and for plug-ins that have none."""
        return (self.result or {}).get("formula")

    @property
    def coefficients(self) -> Mapping[str, float] | None:
        """The fitted coefficients by letter, in order; None where there is no formula."""
        return (self.result or {}).get("coefficients")

    @property
    def loss(self) -> Mapping[str, Any]:
        """The loss in figures: first, last, min, min_step, diverged_at; empty while there is no result."""
        return (self.result or {}).get("loss") or {}

    @property
    def timings(self) -> Mapping[str, Any]:
        """Where the time went: queued_seconds, train_seconds, steps_per_second, …; empty while there is no result."""
        return (self.result or {}).get("timings") or {}


class Batch(Answer):
    """Jobs that were submitted together: how many are in each state, and the sweep that they came from, if any."""

    id: str
    name: str | None = None
    size: int = 0
    submitted_at: datetime | None = None
    state: str = ""
    counts: Mapping[str, int] = Field(default_factory=dict)
    sweep: Mapping[str, Any] | None = None

    @property
    def finished(self) -> bool:
        """Whether none of its jobs waits or runs."""
        return self.state == "finished"


class AttemptLog(Answer):
    """The last 64 KiB of what a job's runner said in one attempt; `truncated` where it said more."""

    attempt: int
    text: str
    truncated: bool = False


class Artifact(Answer):
    """A named array that a job found: its dtype as numpy calls it, and its shape."""

    name: str
    dtype: str = ""
    shape: tuple[int, ...] = ()


class Event(Answer):
    """One change of a job's state."""

    sequence: int
    from_state: State | None = Field(default=None, alias="from")
    to_state: State = Field(alias="to")
    attempt: int = 0
    actor: str = ""
    at: datetime
    detail: Any = None


class Stage(Answer):
    """A stage that the service offers; `parameters` is its JSON Schema, where one stage was asked for."""

    name: str
    title: str = ""
    description: str = ""
    devices: tuple[str, ...] = ()
    dtype: str | None = None
    packable: bool = True
    executions: tuple[str, ...] = ("eager",)
    numerics_version: int | str = 1
    compiled_pays_from: int | None = None
    defaults: Mapping[str, Any] = Field(default_factory=dict)
    parameters: Mapping[str, Any] | None = Field(default=None, alias="schema")


class RefusedPlugin(Answer):
    """A stage of a package that is installed where the API runs, which is not offered, and what is wrong with it."""

    name: str
    package: str = ""
    reason: str = ""


class Hold(Answer):
    """Since when, by whom and why nothing is claimed."""

    since: datetime | None = None
    actor: str = ""
    reason: str | None = None


class Worker(Answer):
    """One slot of a worker host: where it is, its device, and the jobs that it trains now."""

    id: str
    host: str = ""
    slot: str = ""
    queue: str = ""
    device_name: str | None = None
    device_uuid: str | None = None
    pool: str | None = None
    state: str = ""
    pid: int | None = None
    heartbeat_at: datetime | None = None
    started_at: datetime | None = None
    current_jobs: tuple[str, ...] = ()
    versions: Mapping[str, Any] | None = None
    engines: tuple[str, ...] = ("eager",)
    drained: Hold | None = None
    pack_size: int | None = None
    steps_per_second: float | None = None
    jobs_per_second: float | None = None
    utilization_percent: float | None = None
    temperature_celsius: float | None = None
    memory_used_mib: int | None = None
    memory_mib: int | None = None


class Queue(Answer):
    """One queue: how much waits, for how long, and who could take it."""

    name: str
    depth: int = 0
    oldest_wait_seconds: float | None = None
    idle_slots: int = 0
    live_slots: int = 0
    jobs_per_second: float | None = None
    empty_in_seconds: float | None = None
    paused: Hold | None = None


class ApiKey(Answer):
    """A key of the API: whose it is, which project it opens and for what. `key` is told once, when it is made."""

    id: str
    name: str = ""
    project: str = ""
    hint: str = ""
    scopes: tuple[str, ...] = ()
    state: str = ""
    created_at: datetime | None = None
    created_by: str = ""
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    key: str | None = Field(default=None, repr=False)


class Readiness(Answer):
    """Whether jobs are accepted and done: ready, degraded (accepted all the same) or unavailable."""

    status: str
    database: str | None = None
    redis: str | None = None
    workers: Mapping[str, int] = Field(default_factory=dict)
