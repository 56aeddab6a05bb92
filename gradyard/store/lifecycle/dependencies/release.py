"""The jobs of waits that have ended: they may be claimed from now on, or fail. In slices, each a short transaction."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, or_, select, update

from gradyard.jobs.events import EventKind
from gradyard.jobs.fleet import Queue
from gradyard.jobs.specs.dependencies import WaitState
from gradyard.jobs.states import Reason, State
from gradyard.store.bulk import update_rows
from gradyard.store.dialects import now
from gradyard.store.lifecycle.dependencies.unblocked import UNBLOCKED
from gradyard.store.lifecycle.fair_queueing import Work, order_of_members, order_of_singles
from gradyard.store.lifecycle.moves import write_events
from gradyard.store.planners import prefer_indexes
from gradyard.store.summaries import end_summaries
from gradyard.store.tables import IS_BLOCKED, IS_DECIDED, Job, Wait

SLICE = 500  # jobs of one transaction
WITHOUT_WAIT = "what it depended on is no longer known, as an older version ran meanwhile; submit it anew"
MOST_WAITS = 100  # of one transaction: those that failed have a message each


@dataclass
class Moved:
    """How many jobs a transaction released, by queue, and how many it let fail; `more`: others may be left."""

    released: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    more: bool = False


def waits_to_end(connection: Connection) -> bool:
    """Whether a wait is over whose jobs may not have moved yet."""
    return connection.execute(_first_decided).first() is not None


def move_some(connection: Connection, *, actor: str) -> Moved:
    """Release some jobs whose waits were met, and let some fail whose waits failed. Call again while `more`.

    A wait that another transaction is at is left to that.
    """
    prefer_indexes(connection)
    waits = {row.id: row for row in connection.execute(_decided)}
    if not waits:
        return Moved()
    jobs = connection.execute(_blocked, {"these": list(waits)}).all()
    met = [job for job in jobs if waits[job.wait_id].state == WaitState.MET]
    failed = [job for job in jobs if waits[job.wait_id].state == WaitState.FAILED]
    moved = Moved(_release(connection, met, actor), len(failed), more=True)
    by_message: dict[str, list[Row[Any]]] = {}
    for job in failed:
        by_message.setdefault(waits[job.wait_id].message, []).append(job)
    for message, those in by_message.items():
        _fail(connection, those, message, actor)
    whole = [wait_id for wait_id in waits if len(jobs) < SLICE or wait_id < jobs[-1].wait_id]
    connection.execute(_close, {"these": whole})
    return moved


def lacks_wait(connection: Connection) -> bool:
    """Whether a job waits of which is not known any more for what."""
    return connection.execute(_without_wait.limit(1)).first() is not None


def fail_without_wait(connection: Connection) -> bool:
    """Let some jobs fail of which is not known any more what they wait for. Call again while it returns True."""
    jobs = connection.execute(_without_wait.with_for_update(skip_locked=True)).all()
    if jobs:
        _fail(connection, jobs, WITHOUT_WAIT, "maintenance")
    return bool(jobs)


def _release(connection: Connection, jobs: Sequence[Row[Any]], actor: str) -> Counter[str]:
    """Give the jobs their places in the claim order, and write their events. Returns how many by queue."""
    if not jobs:
        return Counter()
    rows = [{"id": job.id, "queue": _queue_of(job), "rank": order["rank"], "share_seconds": order["share_seconds"]}
            for job, order in _in_order(connection, jobs)]  # fmt: skip
    only = "state = 'queued' AND jobs.queue = 'blocked'"
    update_rows(connection, Job, rows, by=("id",), only=only, also="start_step = 0")
    ids, detail = [job.id for job in jobs], "all that it depends on has ended"
    write_events(connection, ids, State.QUEUED, State.QUEUED, EventKind.RELEASED, actor=actor, detail=detail)
    return Counter(str(row["queue"]) for row in rows)


def _in_order(connection: Connection, jobs: Iterable[Row[Any]]) -> list[tuple[Row[Any], dict[str, float]]]:
    """Each job with its place in the claim order, as if it were submitted at this moment."""
    flows: dict[tuple[Any, ...], list[Row[Any]]] = {}
    for job in jobs:
        flows.setdefault((job.project_id, job.batch_id, job.precedence), []).append(job)
    placed = list[tuple[Row[Any], dict[str, float]]]()
    for (project_id, batch_id, precedence), those in flows.items():
        work = [Work(job.device, job.cost_seconds or 0.0) for job in those]
        if batch_id is None:
            orders = order_of_singles(connection, project_id, work, precedence)
        else:
            orders = order_of_members(connection, project_id, batch_id, work, precedence)
        placed += zip(those, orders, strict=True)
    return placed


def _fail(connection: Connection, jobs: Sequence[Row[Any]], message: str, actor: str) -> None:
    ids, detail = [job.id for job in jobs], f"{Reason.UPSTREAM_FAILED}: {message}"
    connection.execute(_let_fail, {"these": ids, "of_message": message})
    write_events(connection, ids, State.QUEUED, State.FAILED, EventKind.FAILED, actor=actor, detail=detail)
    end_summaries(connection, ids)


def _queue_of(job: Row[Any]) -> Queue:
    return Queue.ANY if job.device == "auto" else Queue(job.device)


_these: Any = bindparam("these", expanding=True)
_first_decided = select(Wait.id).where(IS_DECIDED).limit(1)
_decided = (
    select(Wait.id, Wait.state, Wait.message).where(IS_DECIDED).order_by(Wait.id).limit(MOST_WAITS)
    .with_for_update(skip_locked=True)
)  # fmt: skip
_blocked = (
    select(Job.id, Job.wait_id, Job.project_id, Job.batch_id, Job.precedence, Job.cost_seconds,
           Job.spec["device"].as_string().label("device"))
    .where(Job.wait_id.in_(_these), IS_BLOCKED).order_by(Job.wait_id, Job.id).limit(SLICE).with_for_update()
)  # fmt: skip
_without_wait = (
    select(Job.id).where(IS_BLOCKED, or_(Job.wait_id.is_(None), ~exists().where(Wait.id == Job.wait_id)))
    .order_by(Job.id).limit(SLICE)
)  # fmt: skip
_let_fail = (
    update(Job).where(Job.id.in_(_these), IS_BLOCKED)
    .values(state=State.FAILED, finished_at=now(), claim_id=None, **UNBLOCKED,
            reason=Reason.UPSTREAM_FAILED, message=bindparam("of_message"))
)  # fmt: skip
_close = update(Wait).where(Wait.id.in_(_these), IS_DECIDED).values(state=WaitState.CLOSED)
