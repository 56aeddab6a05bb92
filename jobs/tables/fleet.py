"""Who trains: workers, the packs that they hold, and the bells of the queues."""

from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from jobs.tables.base import Table


class Worker(Table):
    """A worker process of a slot, present or past; its lease says whether it lives."""

    __tablename__ = "workers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    slot: Mapped[str] = mapped_column(String(64))
    queue: Mapped[str] = mapped_column(String(8))
    pool: Mapped[str | None] = mapped_column(String(64))
    pid: Mapped[int] = mapped_column(Integer)
    device_name: Mapped[str] = mapped_column(String(255))
    device_uuid: Mapped[str | None] = mapped_column(String(128))
    device_memory_mib: Mapped[int | None] = mapped_column(Integer)
    versions: Mapped[dict[str, Any]]
    stages: Mapped[dict[str, Any]]
    engines: Mapped[list[str] | None] = mapped_column(JSON)  # none: an older version's, which has the eager one
    started_at: Mapped[float]
    heartbeat_at: Mapped[float]
    lease_until: Mapped[float] = mapped_column(index=True)
    served_priority: Mapped[int | None] = mapped_column(Integer)  # of its newest claim
    served_rank: Mapped[float | None]  # how far it has come in the jobs of that priority: lifecycle/turns.py

    __table_args__ = (Index("ix_workers_slot", "host", "slot"),)


class Claim(Table):
    """A pack that a worker holds; narrow, since every heartbeat rewrites it."""

    __tablename__ = "claims"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    worker_id: Mapped[UUID] = mapped_column(ForeignKey("workers.id"), index=True)
    queue: Mapped[str] = mapped_column(String(8))
    width: Mapped[int] = mapped_column(Integer)
    lease_until: Mapped[float] = mapped_column(index=True)
    steps_done: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[float]


class Bell(Table):
    """When a queue's bell was last rung by maintenance, and how often in a row nobody answered."""

    __tablename__ = "bells"

    queue: Mapped[str] = mapped_column(String(8), primary_key=True)
    rung_at: Mapped[float] = mapped_column(default=0.0)
    silent_rings: Mapped[int] = mapped_column(Integer, default=0)
