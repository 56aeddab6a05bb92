"""A wait begins: with the jobs that wait, in their transaction."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select, update

from gradyard.jobs.fleet import Queue
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.specs.dependencies import Kind, WaitState
from gradyard.store.bulk import insert_rows
from gradyard.store.lifecycle.dependencies.asked import NOTHING, Asked
from gradyard.store.lifecycle.dependencies.unblocked import NOT_YET
from gradyard.store.lifecycle.fair_queueing import no_claim_order
from gradyard.store.queries.dependencies.targets import parts_of
from gradyard.store.tables import Batch, Job, Wait, WaitsFor

InOrder = Callable[[Sequence[JobSpec], int], list[dict[str, float]]]
_NO_WAIT: Mapping[str, Any] = {"wait_id": None, "start_step": 0}


@dataclass(frozen=True)
class Waits:
    """The waits of new jobs, by the ids of these: jobs that wait for the same share one, where they are of a batch."""

    asked: Mapping[UUID, Asked]
    ids: Mapping[UUID, UUID]

    @classmethod
    def of(cls, asked: Iterable[tuple[UUID, Asked]], batch_id: UUID | None = None) -> "Waits":
        """The waits of jobs of this batch, or of single jobs. asked: what each of the jobs with these ids waits for."""
        ids, shared = dict[UUID, UUID](), dict[Asked, UUID]()
        named = {job_id: each for job_id, each in asked if each.edges}
        for job_id, each in named.items():
            ids[job_id] = shared.get(each) or new_id()
            if batch_id is not None:
                shared[each] = ids[job_id]
        return cls(named, ids)

    def columns(self, job_id: UUID) -> Mapping[str, Any]:
        """The columns of `jobs` by which the job waits, or does not."""
        if not self.ids:  # as of most requests: an id takes its time to be looked up
            return _NO_WAIT
        wait_id = self.ids.get(job_id)
        if not self.has_to_wait(job_id):
            return {**_NO_WAIT, "wait_id": wait_id}
        return {"wait_id": wait_id, "start_step": NOT_YET, "queue": Queue.BLOCKED}

    def has_to_wait(self, job_id: UUID) -> bool:
        """Whether the job is not claimable yet."""
        return bool(self.asked) and self.asked.get(job_id, NOTHING).waits

    def orders(
        self, ids: Sequence[UUID], specs: Sequence[JobSpec], precedence: int, in_order: InOrder
    ) -> list[dict[str, float]]:  # fmt: skip
        """The place of each of these jobs in the claim order; those that wait for others have none yet.

        in_order: the places of jobs that may be claimed, at a precedence.
        """
        if not self.asked:
            return in_order(specs, precedence)
        both = [(spec, self.has_to_wait(job_id)) for job_id, spec in zip(ids, specs, strict=True)]
        free = iter(in_order([spec for spec, waits in both if not waits], precedence))
        return [no_claim_order(spec, precedence) if waits else next(free) for spec, waits in both]

    def follow(self, connection: Connection) -> list[UUID]:
        """Mark what they wait for. Returns what is not there any more.

        It locks their rows, so workers that record jobs which others wait for now wait for the transaction: it is
        called late, but before `submissions` is locked (queue_capacity.py), as by all submissions.
        """
        one_of_each = {wait_id: job_id for job_id, wait_id in self.ids.items() if self.has_to_wait(job_id)}.values()
        edges = {edge for job_id in one_of_each for edge in self.asked[job_id].edges}
        return mark(connection, Batch, Kind.BATCH, edges) + mark(connection, Job, Kind.JOB, edges)

    def store(self, connection: Connection, project_id: int, batch_id: UUID | None = None) -> None:
        """Store them, after the jobs."""
        of_wait = {wait_id: job_id for job_id, wait_id in self.ids.items()}
        insert_rows(connection, Wait, [
            {"id": wait_id, "project_id": project_id, "batch_id": batch_id,
             "job_id": None if batch_id else job_id, "message": None,
             "state": WaitState.WAITING if self.has_to_wait(job_id) else WaitState.CLOSED}
            for wait_id, job_id in of_wait.items()
        ])  # fmt: skip
        insert_rows(connection, WaitsFor, [
            {"wait_id": wait_id, "position": place, "kind": edge.kind, "on_id": edge.on_id, "condition": edge.condition}
            for wait_id, job_id in of_wait.items() for place, edge in enumerate(self.asked[job_id].edges)
        ])  # fmt: skip


def mark(connection: Connection, table: type[Job | Batch], kind: Kind, edges: Collection[Any]) -> list[UUID]:
    """Note that a wait must hear of the end of these. Returns those that are not there any more.

    One that ended a moment ago is marked all the same: the next look for ends finds it by the mark.
    """
    ids = {edge.on_id for edge in edges if edge.kind == kind}
    there = set[UUID]()
    for part in parts_of(ids):  # batches before jobs, and each in the order of ids, as everything that locks them
        there |= set(connection.execute(_lock[table], {"these": part}).scalars())
        connection.execute(_follow[table], {"these": part})
    return sorted(ids - there)


_these: Any = bindparam("these", expanding=True)
_BOTH: Sequence[type[Job | Batch]] = (Job, Batch)
_lock = {table: select(table.id).where(table.id.in_(_these)).order_by(table.id).with_for_update() for table in _BOTH}
_follow = {
    table: update(table).where(table.id.in_(_these), table.followed.is_(False)).values(followed=True) for table in _BOTH
}
