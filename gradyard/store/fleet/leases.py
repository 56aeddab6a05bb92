"""The leases of workers: their entry, their heartbeats, and their end."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, or_, select, update

from gradyard.jobs.errors import SlotTaken
from gradyard.jobs.fleet import SlotAddress
from gradyard.store.dialects import advisory_lock, insert_or_ignore, now
from gradyard.store.fleet.counters import count_report
from gradyard.store.fleet.workers import HeartbeatReport, WorkerInfo
from gradyard.store.tables import Claim, Worker


def register(connection: Connection, worker: WorkerInfo, lease_seconds: float) -> None:
    """Insert the row of a new worker process. Idempotent: a caller that lost the answer to its commit calls again.

    Raises SlotTaken where another live worker has its GPU, or its name on another machine. The UUID of a GPU is unique,
    so this also finds pools of other users and containers of the same machine. Slots of one machine may share a GPU if
    all of them say so.
    """
    for name in filter(None, (worker.device_uuid, str(worker.address))):
        advisory_lock(connection, name)  # of two that register at once, the second must see the first
    if holder := _holder(connection, worker):
        raise SlotTaken(f"{worker.device_uuid} is held by {holder}")
    if namesake(connection, worker):
        raise SlotTaken(f"another machine of the name {worker.host} has a live {worker.address}")
    until = now() + lease_seconds
    again = update(Worker).where(Worker.id == worker.id)  # it was here before, perhaps under another name
    if connection.execute(again.values(slot=worker.slot, heartbeat_at=now(), lease_until=until)).rowcount:
        return
    connection.execute(insert_or_ignore(connection, Worker).values(
        id=worker.id, host=worker.host, slot=worker.slot, queue=worker.queue, pool=worker.pool, pid=worker.pid,
        machine=worker.machine, device_name=worker.device_name, device_uuid=worker.device_uuid,
        device_memory_mib=worker.memory_mib, shares_device=worker.shares_device, versions=worker.versions,
        stages=worker.stages, engines=list(worker.engines), started_at=now(), heartbeat_at=now(), lease_until=until,
    ))  # fmt: skip


def _holder(connection: Connection, worker: WorkerInfo) -> SlotAddress | None:
    """The slot that has the worker's GPU; an earlier process of the worker's own slot does not count, it is dead."""
    if worker.device_uuid is None:
        return None
    others = [Worker.device_uuid == worker.device_uuid, Worker.lease_until > now(), ~_of_same_slot(worker)]
    if worker.shares_device:
        others.append(or_(~_on_same_machine(worker), Worker.shares_device.is_not(True)))
    first = connection.execute(select(Worker.slot, Worker.host).where(*others).order_by(Worker.started_at)).first()
    return None if first is None else SlotAddress(first.slot, first.host)


def _on_same_machine(worker: WorkerInfo) -> ColumnElement[bool]:
    """Never NULL: a row of an older version tells no machine, and counts as another's."""
    return and_(Worker.host == worker.host, Worker.machine.is_not_distinct_from(worker.machine))


def _of_same_slot(worker: WorkerInfo) -> ColumnElement[bool]:
    return and_(_on_same_machine(worker), Worker.slot.in_(worker.slot_names))


def namesake(connection: Connection, worker: WorkerInfo) -> tuple[UUID, float] | None:
    """The live worker of another machine that has this one's host name and slot: its id and its last heartbeat."""
    same = (Worker.host == worker.host, Worker.slot == worker.slot, Worker.machine.is_distinct_from(worker.machine))
    query = select(Worker.id, Worker.heartbeat_at).where(*same, Worker.lease_until > now())
    row = connection.execute(query).first()
    return None if row is None else (row.id, row.heartbeat_at)


def earlier_processes(connection: Connection, worker: WorkerInfo) -> list[Row[Any]]:
    """Other processes of this slot of this machine: id, slot, pid, age in seconds, and lease_seconds that are left.

    Those with no lease any more are among them. As a rule all of them are dead.
    """
    query = select(
        Worker.id, Worker.slot, Worker.pid, (now() - Worker.started_at).label("age"),
        (Worker.lease_until - now()).label("lease_seconds"),
    ).where(_of_same_slot(worker), Worker.id != worker.id)  # fmt: skip
    return list(connection.execute(query.order_by(Worker.id)))


def heartbeat(
    connection: Connection, worker: WorkerInfo, lease_seconds: float, claim_id: UUID | None = None,
    steps_done: int = 0, report: HeartbeatReport | None = None,
) -> bool:  # fmt: skip
    """Renew the worker's lease and that of its claim; False where the claim is no longer its own.

    A worker whose lease expired meanwhile registers again. Raises SlotTaken where another worker has its GPU or its
    name by then.
    """
    until = now() + lease_seconds
    report = report or HeartbeatReport()
    alive = update(Worker).where(Worker.id == worker.id, Worker.lease_until > now())
    if not connection.execute(alive.values(heartbeat_at=now(), lease_until=until, **report.columns())).rowcount:
        register(connection, worker, lease_seconds)
        connection.execute(update(Worker).where(Worker.id == worker.id).values(**report.columns()))
    count_report(connection, worker, report.number, report.happened)
    if claim_id is None:
        return True
    renew = update(Claim).where(Claim.id == claim_id).values(lease_until=until, steps_done=steps_done)
    return connection.execute(renew).rowcount == 1


def retire(connection: Connection, worker_id: UUID) -> None:
    """Delete a worker that stops. Where it still has a claim, only its lease ends."""
    holding = exists().where(Claim.worker_id == worker_id)
    if not connection.execute(delete(Worker).where(Worker.id == worker_id, ~holding)).rowcount:
        connection.execute(update(Worker).where(Worker.id == worker_id).values(lease_until=now()))
