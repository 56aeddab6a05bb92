"""Holds: a queue that is paused; a host, a slot or a GPU that is drained. What a hold names claims nothing."""

from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, or_, select

from gradyard.jobs.fleet import HoldKind
from gradyard.store.dialects import insert_or_replace, now, strip_unstorable
from gradyard.store.fleet.workers import WorkerInfo
from gradyard.store.tables import Hold, Worker
from gradyard.store.webhooks.notices import note_drain

log = structlog.get_logger()


def hold(connection: Connection, kind: HoldKind, name: str, *, actor: str, reason: str | None = None) -> None:
    """Let nothing of that kind and name claim jobs from now on. What trains now is trained to its end.

    A hold of the same kind and name that exists already gets this actor, reason and time.
    """
    row = {"kind": kind, "name": name, "actor": actor[:200], "since": now()}
    reason = strip_unstorable(reason) if reason else None
    if kind is not HoldKind.QUEUE and not _is_there(connection, kind, name):
        note_drain(connection, kind, name, actor=actor[:200], reason=reason)
    connection.execute(insert_or_replace(connection, Hold).values(row | {"reason": reason}))


def _is_there(connection: Connection, kind: HoldKind, name: str) -> bool:
    return connection.execute(select(Hold.name).where(Hold.kind == kind, Hold.name == name)).first() is not None


def drain_device(connection: Connection, worker: WorkerInfo, reason: str) -> None:
    """Drain the failed GPU of a worker (by its UUID), or its slot where it has none. Idempotent while the hold exists.

    A hold by UUID follows the card to another slot or host, and no other card inherits it.
    """
    kind, name = (HoldKind.GPU, worker.device_uuid) if worker.device_uuid else (HoldKind.SLOT, str(worker.address))
    if _is_there(connection, kind, name):
        return
    log.error("drained", slot=str(worker.address), device=worker.device_uuid, reason=reason)
    hold(connection, kind, name, actor=worker.name, reason=reason)


def lift(connection: Connection, kind: HoldKind, name: str) -> bool:
    """Remove a hold; False where there was none."""
    return connection.execute(delete(Hold).where(Hold.kind == kind, Hold.name == name)).rowcount > 0


def _names(worker: Any) -> ColumnElement[bool]:
    return or_(
        and_(Hold.kind == HoldKind.QUEUE, Hold.name == worker.queue),
        and_(Hold.kind == HoldKind.HOST, Hold.name == worker.host),
        and_(Hold.kind == HoldKind.SLOT, Hold.name == worker.slot + "@" + worker.host),
        and_(Hold.kind == HoldKind.GPU, Hold.name == worker.device_uuid),
    )


on_hold: ColumnElement[bool] = select(Hold.name).where(_names(Worker)).exists()
"""A condition on a row of `workers`: a hold names its queue, host, slot or GPU."""

_one = select(Worker.id).where(Worker.id == bindparam("of_worker"), on_hold)


def is_on_hold(connection: Connection, worker_id: UUID) -> bool:
    """Whether a hold keeps this worker from claiming."""
    return connection.execute(_one, {"of_worker": worker_id}).first() is not None
