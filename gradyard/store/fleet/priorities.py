"""Which job of a project is claimed next. The claim order says which project is due, `priority` which of its jobs.

The first job in the claim order is of some project. Where a job of that project, queue and precedence has a higher
priority, that job is claimed at the virtual start of the first. So priorities never move work of one project before
work of another.

What is claimed so counts by the seconds that it trains: the jobs of the first one's flow start later by that time, up
to the rank that became free. In a long line only those are moved that would start within this time, to the rank that
became free; one that is much longer than that time goes on behind it. So a project does not gain by letting long jobs
start in place of short ones, and never gets more than twice its share.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, Double, Integer, TableClause, bindparam, select, update

from gradyard.jobs.fleet import Queue
from gradyard.store.dialects import for_claiming
from gradyard.store.fleet.auto import DeviceChoices
from gradyard.store.fleet.claim_queries import COLUMNS, claimable_now, packs_with_head
from gradyard.store.fleet.device_choice import DeviceChoice
from gradyard.store.fleet.workers import Capabilities, WorkerInfo
from gradyard.store.planners import planned_once
from gradyard.store.tables import IS_QUEUED, Job

LOOKED_AT = 4096  # jobs of all flows that one claim looks at, to move those of one
MOST_SHIFTED, MOST_EXCHANGED = 256, 1024  # jobs that one claim moves
LONGER = 2.0  # by which factor a job must be longer than the time that is freed, to go on behind instead


class VirtualStart:
    """That of the first job in the claim order of a worker, for the jobs of its project, queue and precedence."""

    def __init__(self, connection: Connection, worker: WorkerInfo, first: Any) -> None:
        self._first = first
        self._connection, self._worker = connection, worker
        self._line = {"project": first.project_id, "queue": first.queue, "precedence": first.precedence}
        self._is_mixed = first.highest_priority != first.lowest_priority

    def head(self, choice: DeviceChoice | None) -> tuple[Any, DeviceChoice | None]:
        """The job that is claimed, its row locked, and the choice of its device; `choice` is that of the first job."""
        if not self._is_mixed:
            return self._first, choice
        above = self._line | {"above": self._first.priority}
        job = self._connection.execute(_queries(self._worker.capabilities).first, above).first()
        if job is None or job.queue != Queue.ANY:
            return job or self._first, choice if job is None else None
        other = DeviceChoices(self._connection).of(job)
        return (self._first, choice) if other.is_left_by(self._worker.queue) else (job, other)

    def riders(self, same: dict[str, Any], others: Sequence[Any], most: int) -> list[Any]:
        """Which jobs train with the head: those of its project by priority, then `others`, in claim order.

        same: the values of `packs_with_head`.
        """
        if not self._is_mixed:
            return list(others)
        about = same | self._line | {"above": self._first.lowest_priority, "most": most}
        mine = list(self._connection.execute(_queries(self._worker.capabilities).riders, about))
        taken = {row.id for row in mine}
        return [*mine, *(row for row in others if row.id not in taken)][:most]

    def pay(self, rows: Sequence[Any]) -> None:
        """Move the jobs that wait behind: of the pack of these rows, those of higher priority start in their place."""
        first = self._first
        overtook = [row for row in rows if row.priority > first.priority and row.project_id == first.project_id]
        if rows[0].id == first.id or not overtook:
            return
        cost = sum(row.cost_seconds or 0.0 for row in overtook)
        span = cost * (first.share_seconds or 0.0) / first.cost_seconds if first.cost_seconds else cost
        free_from, taken = min(row.rank for row in overtook), {row.id for row in rows}
        behind = self._behind(max(first.rank + span, *(row.rank for row in overtook)), taken)
        ranks = {rows[0].id: first.rank}
        if behind is not None:
            ranks |= _shifted(behind, first.rank + span)
        else:
            scale = sum(row.share_seconds or 0.0 for row in overtook) / span if span else 1.0
            for row in self._behind(first.rank + span, taken, cut=True) or ():
                is_longer = (row.cost_seconds or 0.0) > LONGER * cost
                ranks[row.id] = first.rank + span if is_longer else free_from + (row.rank - first.rank) * scale
        free = set(self._connection.execute(_lock, {"these": list(ranks)}).scalars())
        self._connection.execute(_move, [{"moved": job, "to": rank} for job, rank in ranks.items() if job in free])

    def _behind(self, until: float, taken: set[Any], *, cut: bool = False) -> list[Any] | None:
        """The waiting jobs of the first job's flow that begin before; None for too many, or where `cut` the first."""
        most = MOST_EXCHANGED if cut else MOST_SHIFTED
        about = self._line | {"start": self._first.rank, "until": until, "most": LOOKED_AT}
        seen = self._connection.execute(_beginning_before, about).all()
        flow = (self._first.project_id, self._first.batch_id)
        mine = [row for row in seen if (row.project_id, row.batch_id) == flow and row.id not in taken]
        if not cut and (len(seen) == LOOKED_AT or len(mine) > most):
            return None
        return mine[:most]


def _shifted(rows: Sequence[Any], begin: float) -> dict[Any, float]:
    """The ranks of the jobs of a flow, in its order, when the first of them does not start before `begin`."""
    ranks = {}
    for row in rows:
        if row.rank >= begin:
            break
        ranks[row.id] = begin
        begin += row.share_seconds or 0.0
    return ranks


class _Queries:
    """Built once for workers of equal capabilities: building them costs more than executing them."""

    def __init__(self, capabilities: Capabilities) -> None:
        able = select(*COLUMNS).where(*claimable_now(capabilities), *_of_line, Job.priority > bindparam("above"))
        in_order = able.order_by(Job.priority.desc(), Job.rank, Job.id)
        self.first = for_claiming(in_order.limit(1))
        self.riders = for_claiming(in_order.where(*packs_with_head()).limit(bindparam("most", type_=Integer)))


_queries = lru_cache(maxsize=32)(_Queries)

_of_line = (
    Job.project_id == bindparam("project"), Job.queue == planned_once("queue"),
    Job.precedence == bindparam("precedence", type_=Integer),
)  # fmt: skip
_beginning_before = (
    select(Job.id, Job.project_id, Job.batch_id, Job.rank, Job.cost_seconds, Job.share_seconds)
    .where(
        IS_QUEUED, Job.queue == planned_once("queue"), Job.precedence == bindparam("precedence", type_=Integer),
        Job.rank >= bindparam("start", type_=Double), Job.rank < bindparam("until", type_=Double),
    ).order_by(Job.rank, Job.id).limit(bindparam("most", type_=Integer))
)  # fmt: skip
_lock = for_claiming(select(Job.id).where(IS_QUEUED, Job.id.in_(bindparam("these", expanding=True))))
_move = update(cast(TableClause, Job.__table__)).where(Job.id == bindparam("moved")).values(rank=bindparam("to"))
