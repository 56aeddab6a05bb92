"""Workers in the database: their entry, their heartbeats, and their end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection, and_, delete, exists, or_, select, update

from gradyard.jobs.errors import SlotTaken
from gradyard.jobs.fleet import SlotAddress
from gradyard.store.dialects import advisory_lock, insert_or_ignore, now
from gradyard.store.fleet.counters import count
from gradyard.store.tables import Claim, Worker


@dataclass(frozen=True)
class Capabilities:
    """What decides which jobs a worker may claim. `stages` are pairs of name and numerics version."""

    queue: str
    stages: tuple[tuple[str, int], ...]
    pool: str | None
    memory_mib: int
    engines: tuple[str, ...] = ("eager",)


@dataclass(frozen=True)
class WorkerInfo:
    """A worker process: its slot and host, its device, and its stages (name to numerics version)."""

    id: UUID
    host: str
    slot: str
    queue: str
    pid: int
    stages: dict[str, int]
    pool: str | None = None
    device_name: str = "cpu"
    device_uuid: str | None = None
    memory_mib: int | None = None
    versions: dict[str, str] = field(default_factory=dict)
    engines: tuple[str, ...] = ("eager",)
    most_members: int = 512  # of one pack
    shares_device: bool = False  # with other slots of its pool

    @property
    def capabilities(self) -> Capabilities:
        """The facts that decide what it may claim."""
        return Capabilities(self.queue, tuple(self.stages.items()), self.pool, self.memory_mib or 0, self.engines)

    @property
    def address(self) -> SlotAddress:
        """Its slot and host, as holds and messages name them."""
        return SlotAddress(self.slot, self.host)

    @property
    def name(self) -> str:
        """Its name as an actor in events."""
        return f"worker {self.address} (pid {self.pid})"


@dataclass(frozen=True)
class HeartbeatReport:
    """What a heartbeat reports: throughput, the state of the device, and counts since the last heartbeat."""

    steps_per_second: float = 0.0  # of all members of its pack together
    jobs_per_second: float = 0.0
    utilization_percent: float | None = None
    temperature_celsius: float | None = None
    memory_used_mib: int | None = None
    happened: Mapping[str, int] = field(default_factory=dict)

    def columns(self) -> dict[str, float | None]:
        """The gauges, by the names of the columns of `workers`."""
        names = ("steps_per_second", "jobs_per_second", "utilization_percent", "temperature_celsius", "memory_used_mib")
        return {name: getattr(self, name) for name in names}


def register(connection: Connection, worker: WorkerInfo, lease_seconds: float) -> None:
    """Insert the row of a new worker process. Idempotent: a caller that lost the answer to its commit calls again.

    Raises SlotTaken where another live worker has its GPU. The UUID of a GPU is unique, so this also finds pools of
    other users and containers of the same machine. Slots of one host may share a GPU if all of them say so.
    """
    if worker.device_uuid is not None:
        advisory_lock(connection, worker.device_uuid)  # of two that register at once, the second must see the first
    if holder := _holder(connection, worker):
        raise SlotTaken(f"{worker.device_uuid} is held by {holder}")
    connection.execute(insert_or_ignore(connection, Worker).values(
        id=worker.id, host=worker.host, slot=worker.slot, queue=worker.queue, pool=worker.pool, pid=worker.pid,
        device_name=worker.device_name, device_uuid=worker.device_uuid, device_memory_mib=worker.memory_mib,
        shares_device=worker.shares_device, versions=worker.versions, stages=worker.stages,
        engines=list(worker.engines), started_at=now(), heartbeat_at=now(), lease_until=now() + lease_seconds,
    ))  # fmt: skip


def _holder(connection: Connection, worker: WorkerInfo) -> SlotAddress | None:
    """The slot that has the worker's GPU; an earlier process of the worker's own slot does not count, it is dead."""
    if worker.device_uuid is None:
        return None
    own_slot = and_(Worker.host == worker.host, Worker.slot == worker.slot)
    others = [Worker.device_uuid == worker.device_uuid, Worker.lease_until > now(), ~own_slot]
    if worker.shares_device:
        others.append(or_(Worker.host != worker.host, Worker.shares_device.is_not(True)))
    first = connection.execute(select(Worker.slot, Worker.host).where(*others).order_by(Worker.started_at)).first()
    return None if first is None else SlotAddress(first.slot, first.host)


def earlier_processes(connection: Connection, worker: WorkerInfo) -> list[tuple[int, float]]:
    """Pid and age in seconds of other processes of this slot whose leases still hold. As a rule they are dead."""
    earlier = [Worker.host == worker.host, Worker.slot == worker.slot, Worker.id != worker.id]
    found = select(Worker.pid, now() - Worker.started_at).where(*earlier, Worker.lease_until > now())
    return [(pid, age) for pid, age in connection.execute(found)]


def heartbeat(
    connection: Connection, worker: WorkerInfo, lease_seconds: float, claim_id: UUID | None = None,
    steps_done: int = 0, report: HeartbeatReport | None = None,
) -> bool:  # fmt: skip
    """Renew the worker's lease and that of its claim; False where the claim is no longer its own.

    A worker whose lease expired meanwhile registers again. Raises SlotTaken where another worker has its GPU by then.
    """
    until = now() + lease_seconds
    report = report or HeartbeatReport()
    alive = update(Worker).where(Worker.id == worker.id, Worker.lease_until > now())
    if not connection.execute(alive.values(heartbeat_at=now(), lease_until=until, **report.columns())).rowcount:
        register(connection, worker, lease_seconds)
        again = update(Worker).where(Worker.id == worker.id)
        connection.execute(again.values(heartbeat_at=now(), lease_until=until, **report.columns()))
    count(connection, str(worker.address), report.happened)
    if claim_id is None:
        return True
    renew = update(Claim).where(Claim.id == claim_id).values(lease_until=until, steps_done=steps_done)
    return connection.execute(renew).rowcount == 1


def retire(connection: Connection, worker_id: UUID) -> None:
    """Delete a worker that stops. Where it still has a claim, only its lease ends."""
    holding = exists().where(Claim.worker_id == worker_id)
    if not connection.execute(delete(Worker).where(Worker.id == worker_id, ~holding)).rowcount:
        connection.execute(update(Worker).where(Worker.id == worker_id).values(lease_until=now()))


def forget_workers(connection: Connection, seconds: float) -> int:
    """Delete workers without a claim whose leases ended that many seconds ago. Returns how many."""
    holding = exists().where(Claim.worker_id == Worker.id)
    return connection.execute(delete(Worker).where(Worker.lease_until < now() - seconds, ~holding)).rowcount
