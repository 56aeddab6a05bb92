"""Workers, the packs that they hold, holds on them, their counters, and the bells of the queues."""

from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gradyard.jobs.fleet import WORKER_QUEUES, HoldKind
from gradyard.store.tables.base import Table
from gradyard.store.tables.vocabularies import is_known


class Worker(Table):
    """A worker process of a slot. It is alive while its lease holds."""

    __tablename__ = "workers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    slot: Mapped[str] = mapped_column(String(64))
    queue: Mapped[str] = mapped_column(String(8))
    pool: Mapped[str | None] = mapped_column(String(64))
    pid: Mapped[int] = mapped_column(Integer)
    machine: Mapped[str | None] = mapped_column(String(64))  # hosts may share a name. NULL: an older version's worker
    device_name: Mapped[str] = mapped_column(String(255))
    device_uuid: Mapped[str | None] = mapped_column(String(128))
    device_memory_mib: Mapped[int | None] = mapped_column(Integer)
    shares_device: Mapped[bool | None] = mapped_column(Boolean)  # with other slots of its pool
    versions: Mapped[dict[str, Any]]
    stages: Mapped[dict[str, Any]]
    engines: Mapped[list[str] | None] = mapped_column(JSON)  # NULL: an older version's worker, with the eager one
    started_at: Mapped[float]
    heartbeat_at: Mapped[float]
    lease_until: Mapped[float] = mapped_column(index=True)
    # as of the last heartbeat
    steps_per_second: Mapped[float | None]  # of all members of its pack together
    jobs_per_second: Mapped[float | None]  # that succeeded, in the last minute
    utilization_percent: Mapped[float | None]  # of its GPU, or of one core
    temperature_celsius: Mapped[float | None]
    memory_used_mib: Mapped[int | None] = mapped_column(Integer)
    counted_reports: Mapped[int | None] = mapped_column(Integer)  # its reports up to this one are in the counters
    # how far it is in the queue (lifecycle/fair_queueing.py)
    served_precedence: Mapped[int | None] = mapped_column(  # of its newest claim; the column is older
        "served_priority", Integer, key="served_precedence"
    )
    served_rank: Mapped[float | None]  # the virtual start of that claim's head
    lost_lease: Mapped[float | None]  # the `lease_until` that ran out and was told: `worker.lost`

    __table_args__ = (Index("ix_workers_slot", "host", "slot"), is_known("queue", WORKER_QUEUES))


class Claim(Table):
    """A pack that a worker holds. Few columns, since every heartbeat rewrites the row."""

    __tablename__ = "claims"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("workers.id"), index=True)
    queue: Mapped[str] = mapped_column(String(8))
    width: Mapped[int] = mapped_column(Integer)
    lease_until: Mapped[float] = mapped_column(index=True)
    steps_done: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[float]

    __table_args__ = (is_known("queue", WORKER_QUEUES),)


class Hold(Table):
    """A queue that is paused, or a host, slot or GPU that is drained: its workers claim nothing until it is lifted.

    `name` is that of a queue, a host, SLOT@HOST, or a UUID. Rows outlive the worker processes: a slot that starts again
    stays drained.
    """

    __tablename__ = "holds"

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)  # a HoldKind
    name: Mapped[str] = mapped_column(String(320), primary_key=True)
    reason: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(200))
    since: Mapped[float]

    __table_args__ = (is_known("kind", HoldKind),)


class Counter(Table):
    """How often something happened since the table was made. It never falls.

    A trigger of `jobs` counts the finished jobs that are deleted: `deleted_STATE` of their stage.
    """

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    counted_by: Mapped[str] = mapped_column(
        String(320), primary_key=True
    )  # SLOT@HOST, maintenance@HOST, a stage, or requests
    total: Mapped[int] = mapped_column(default=0)


class Bell(Table):
    """When maintenance last rang a queue's bell, and how many rings in a row no worker answered."""

    __tablename__ = "bells"

    queue: Mapped[str] = mapped_column(String(8), primary_key=True)
    rung_at: Mapped[float] = mapped_column(default=0.0)
    silent_rings: Mapped[int] = mapped_column(Integer, default=0)
