"""Who claims nothing for now: queues that are paused; hosts, slots and GPUs that are drained."""

from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, or_, select

from gradyard.store.database import insert_or_replace, now, strip_unstorable
from gradyard.store.fleet.workers import WorkerInfo
from gradyard.store.tables import Hold, Worker

log = structlog.get_logger()

QUEUE, HOST, SLOT, GPU = "queue", "host", "slot", "gpu"


def hold(connection: Connection, kind: str, name: str, *, actor: str, reason: str | None = None) -> None:
    """From its next claim on, nobody whom this names takes anything; what is trained now is trained to its end."""
    row = {"kind": kind, "name": name, "actor": actor[:200], "since": now()}
    reason = strip_unstorable(reason) if reason else None
    connection.execute(insert_or_replace(connection, Hold).values(row | {"reason": reason}))


def drain_device(connection: Connection, worker: WorkerInfo, reason: str) -> None:
    """The worker's device is no good: whichever slot has it claims nothing. Said again while it is held, it is nothing.

    The hold is the GPU's, by its UUID: it follows the card to another slot or host, and no other card inherits it.
    """
    kind, name = (GPU, worker.device_uuid) if worker.device_uuid else (SLOT, worker.place)
    if connection.execute(select(Hold.name).where(Hold.kind == kind, Hold.name == name)).first() is not None:
        return
    log.error("drained", slot=worker.place, device=worker.device_uuid, reason=reason)
    hold(connection, kind, name, actor=worker.name, reason=reason)


def lift(connection: Connection, kind: str, name: str) -> bool:
    """Undo a hold; whether there was one."""
    return connection.execute(delete(Hold).where(Hold.kind == kind, Hold.name == name)).rowcount > 0


def _names(worker: Any) -> ColumnElement[bool]:
    return or_(
        and_(Hold.kind == QUEUE, Hold.name == worker.queue),
        and_(Hold.kind == HOST, Hold.name == worker.host),
        and_(Hold.kind == SLOT, Hold.name == worker.slot + "@" + worker.host),
        and_(Hold.kind == GPU, Hold.name == worker.device_uuid),
    )


on_hold: ColumnElement[bool] = select(Hold.name).where(_names(Worker)).exists()
"""Of a row of `workers`: whether a hold names it."""

_one = select(Worker.id).where(Worker.id == bindparam("of_worker"), on_hold)


def is_on_hold(connection: Connection, worker_id: UUID) -> bool:
    """Whether this worker may claim nothing now."""
    return connection.execute(_one, {"of_worker": worker_id}).first() is not None
