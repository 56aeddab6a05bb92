"""Workers, queues, holds on them, and the health of the service."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, WithJsonSchema

from gradyard.jobs import fleet
from gradyard.shapes.base import Answer

# Text, so that a newer service may have more queues; the enum itself would share its name with the model below.
QueueName = Annotated[str, WithJsonSchema({"type": "string", "enum": list(fleet.Queue)})]


class Hold(Answer):
    """A pause or a drain: since when, by whom and why."""

    since: AwareDatetime | None = None
    actor: str = ""
    reason: str | None = None


class Worker(Answer):
    """A worker process: its slot, its device, and the jobs of the caller's project that it trains now."""

    id: str
    host: str = ""
    slot: str = ""
    queue: QueueName
    device_name: str | None = None
    device_uuid: str | None = None
    pool: str | None = None
    state: Literal["idle", "busy", "draining", "drained", "dead"]
    drained: Hold | None = None
    pack_size: int | None = None
    steps_per_second: float | None = Field(
        default=None, description="of all members of its pack, over the last ten seconds"
    )
    jobs_per_second: float | None = Field(default=None, description="finished, over the last minute")
    utilization_percent: float | None = Field(
        default=None,
        description="of its GPU; on a CPU slot of one core, by its processes",
    )
    temperature_celsius: float | None = None
    memory_used_mib: int | None = Field(default=None, description="on its GPU; on a CPU slot by its processes")
    memory_mib: int | None = None
    pid: int | None = None
    heartbeat_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    current_jobs: tuple[str, ...] = ()
    versions: Mapping[str, Any] | None = None
    engines: tuple[str, ...] = ("eager",)


class WorkerList(Answer):
    """Live workers, and those that left in the last minutes. `next_cursor` asks for the next page; null on the last."""

    workers: tuple[Worker, ...]
    next_cursor: str | None = None


class Queue(Answer):
    """A queue: how many jobs wait, for how long, and its slots.

    The jobs of `any` wait for those of `cpu` and of `gpu`; it has no slots of its own, so that each is counted once.
    """

    name: QueueName
    depth: int = 0
    oldest_wait_seconds: float | None = None
    idle_slots: int = 0
    live_slots: int = 0
    jobs_per_second: float | None = Field(default=None, description="finished, over the last minute")
    empty_in_seconds: float | None = Field(
        default=None, description="at that rate, with the jobs of `any`; null where no job finished"
    )
    paused: Hold | None = None


class QueueList(Answer):
    """The queues."""

    queues: tuple[Queue, ...]


class Health(Answer):
    """The process is alive."""

    status: Literal["ok"]


class Readiness(Answer):
    """Whether jobs are accepted and trained: `degraded` accepts jobs, which wait; `unavailable` accepts none."""

    status: Literal["ready", "degraded", "unavailable"]
    database: str | None = None
    redis: str | None = None
    workers: Mapping[str, int] = {}
    version: str | None = Field(default=None, description="of the service")
    database_kind: str | None = Field(default=None, description="SQLite or PostgreSQL")
    watcher_age_seconds: float | None = Field(
        default=None, description="since the API last looked for requests that wait; 0 while there are none"
    )
