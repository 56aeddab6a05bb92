"""What is said of workers goes into the outbox. The ends of jobs get there by a trigger of `jobs`."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Text, cast, insert, select, update

from gradyard.jobs.fleet import HoldKind
from gradyard.jobs.webhooks.events import NoticeKind
from gradyard.store.dialects import for_claiming, now
from gradyard.store.tables import Webhook, WebhookNotice, Worker

_asked_for = select(Webhook.id).where(Webhook.enabled, cast(Webhook.events, Text).like('%"worker.%')).limit(1)
_untold = Worker.lost_lease.is_distinct_from(Worker.lease_until)


def note_drain(connection: Connection, kind: HoldKind, name: str, *, actor: str, reason: str | None) -> None:
    """Write into the outbox that a host, slot or GPU is drained, where a webhook asks for it."""
    if connection.execute(_asked_for).first() is not None:
        _note(connection, NoticeKind.WORKER_DRAINED, {"kind": kind, "name": name, "reason": reason, "actor": actor})


def lost_workers(connection: Connection, as_of: float) -> list[UUID]:
    """Workers whose leases had ended at that moment of the database's clock, and of which that was not told yet."""
    return list(connection.execute(select(Worker.id).where(Worker.lease_until < as_of, _untold)).scalars())


def note_lost(connection: Connection, worker_ids: Collection[UUID], *, detail: str, as_of: float | None = None) -> int:
    """Write into the outbox that these workers are lost, once for each lease. Returns of how many that is new.

    as_of: leave those alone whose leases last beyond that moment. It waits for no lock.
    """
    lost = [Worker.id.in_(list(worker_ids)), _untold]
    if as_of is not None:
        lost.append(Worker.lease_until < as_of)
    workers = connection.execute(for_claiming(select(*Worker.__table__.columns).where(*lost).order_by(Worker.id))).all()
    if not workers:
        return 0
    told = update(Worker).where(Worker.id.in_([worker.id for worker in workers]))
    connection.execute(told.values(lost_lease=Worker.lease_until))
    if connection.execute(_asked_for).first() is not None:
        for worker in workers:
            _note(connection, NoticeKind.WORKER_LOST, _facts(worker) | {"detail": detail})
    return len(workers)


def _facts(worker: Any) -> dict[str, Any]:
    columns = ("host", "slot", "queue", "pool", "pid", "device_name", "device_uuid", "started_at", "heartbeat_at")
    return {name: getattr(worker, name) for name in columns}


def _note(connection: Connection, kind: NoticeKind, about: Mapping[str, Any]) -> None:
    connection.execute(insert(WebhookNotice).values(kind=kind, at=now(), ends_batch=False, about=dict(about)))
