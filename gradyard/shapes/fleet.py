"""Stages, workers, queues, and how the service is."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field


class StageFacts(BaseModel):
    """What a stage is, and what a job of it gets where its spec is silent."""

    name: str
    title: str
    description: str
    devices: list[str]
    dtype: str
    packable: bool
    executions: list[str]
    numerics_version: int
    compiled_pays_from: int | None = Field(description="job-steps on one worker; null: never, or nobody measured it")
    defaults: dict[str, Any]


class RefusedPlugin(BaseModel):
    """A stage of an installed package that is not offered, and what is wrong with it."""

    name: str
    package: str
    reason: str


class StageList(BaseModel):
    """The stages that jobs can be of."""

    stages: list[StageFacts]
    refused: list[RefusedPlugin]


class StageWithSchema(StageFacts):
    """A stage, with the JSON Schema of its spec."""

    json_schema: dict[str, Any] = Field(alias="schema")


class Hold(BaseModel):
    """Since when, by whom and why nothing is claimed."""

    since: AwareDatetime
    actor: str
    reason: str | None


class Worker(BaseModel):
    """A worker process and its device."""

    id: str
    host: str
    slot: str
    queue: str
    device_name: str
    device_uuid: str | None
    pool: str | None
    state: Literal["idle", "busy", "draining", "drained", "dead"]
    drained: Hold | None
    pack_size: int | None
    steps_per_second: float | None = Field(description="of all members of its pack, in the last ten seconds")
    jobs_per_second: float | None = Field(description="that ended, in the last minute")
    utilization_percent: float | None = Field(description="of its GPU")
    temperature_celsius: float | None
    memory_used_mib: int | None
    memory_mib: int | None
    pid: int
    heartbeat_at: AwareDatetime
    started_at: AwareDatetime
    current_jobs: list[str]
    versions: dict[str, Any]
    engines: list[str]


class WorkerList(BaseModel):
    """Live workers, and those that left in the last minutes."""

    workers: list[Worker]


class Queue(BaseModel):
    """What waits in a queue and who could take it; `any` waits for either of the others."""

    name: str
    depth: int
    oldest_wait_seconds: float
    idle_slots: int
    live_slots: int
    jobs_per_second: float = Field(description="that ended, in the last minute")
    empty_in_seconds: float | None = Field(description="at that rate, with those of `any`; null where nothing ended")
    paused: Hold | None


class QueueList(BaseModel):
    """The queues."""

    queues: list[Queue]


class Health(BaseModel):
    """The process is alive."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """Whether jobs are accepted and done: degraded ones are accepted and wait, unavailable accepts none."""

    status: Literal["ready", "degraded", "unavailable"]
    database: str
    redis: str
    workers: dict[str, int]
