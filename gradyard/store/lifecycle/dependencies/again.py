"""Jobs that are submitted anew wait for what the old ones waited for: of a job that did not succeed, its newest try.

No job waits for itself in a circle. A request names what is there already, so each wait leads from a newer job to older
ones; only a retry in a batch adds a job to what is older. It waits for the same as the job in whose place it comes, or
for a newer try that waits for nothing itself, and from there no way leads back.
"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from gradyard.jobs.errors import IllegalMove
from gradyard.jobs.specs.dependencies import Condition, Kind, WaitState
from gradyard.store.lifecycle.dependencies.asked import Asked, Edge
from gradyard.store.queries.dependencies.targets import Target, parts_of, targets
from gradyard.store.tables import Job, Wait, WaitsFor

MOST_TRIES = 64  # of one job, one after the other


def inherited(
    connection: Connection, old: Collection[UUID], new: Mapping[UUID, UUID], *, in_batch: bool = False
) -> dict[UUID, Asked]:
    """For each of these ended jobs that has dependencies, what its retry waits for.

    new: the retries that this transaction makes, by the old jobs; they may wait for each other. in_batch: each takes
    the place of the old one in its batch. Raises IllegalMove where a dependency did not end as asked, and was not
    submitted anew.
    """
    edges = _edges_of(connection, old)
    known = targets(connection, {edge.on_id for of_job in edges.values() for edge in of_job})
    bad = {each.id for each in known.values() if each.kind == Kind.JOB and each.bad and each.id not in new}
    newest = _newest_tries(connection, bad)
    known |= targets(connection, newest.values())
    if in_batch:
        _refuse_circles(known[each] for each in newest.values() if each in known)
    return {job_id: _again(of_job, new, newest, known) for job_id, of_job in edges.items()}


def _again(
    edges: Collection[Any], new: Mapping[UUID, UUID], newest: Mapping[UUID, UUID], known: Mapping[UUID, Target]
) -> Asked:
    again, waits = list[Edge](), False
    for edge in edges:
        kind, condition = Kind(edge.kind), edge.condition
        old = known.get(edge.on_id)  # none: it was deleted, were it while this question is retried
        if edge.on_id in new and old is not None and old.bad:
            again.append(Edge(kind, new[edge.on_id], condition))
            waits = True
            continue
        target = known.get(newest.get(edge.on_id, edge.on_id))
        if target is None:
            if not _had_ended_as_asked(edge):
                raise IllegalMove(f"it depends on the {kind} {edge.on_id}, which was deleted; submit the job anew")
            continue
        if target.met(condition) is False:
            raise IllegalMove(f"it depends on what did not succeed: {target.bad}; retry that first")
        waits |= target.met(condition) is None
        again.append(Edge(kind, target.id, condition))
    return Asked(tuple(again), waits)


def _had_ended_as_asked(edge: Any) -> bool:
    """Whether it is known of what was deleted that it ended as asked before."""
    return bool(
        edge.condition == Condition.ENDED or edge.met or (edge.message is None and edge.state != WaitState.WAITING)
    )


def _refuse_circles(tries: Any) -> None:
    for each in tries:
        if each.blocked:
            message = f"it depends on the job {each.id}, a retry that waits for others itself; retry it when that runs"
            raise IllegalMove(message)


def _edges_of(connection: Connection, jobs: Collection[UUID]) -> dict[UUID, list[Any]]:
    """The dependencies of each of these jobs that has any, with the state and the message of its wait."""
    of_job, of_wait = dict[UUID, UUID](), dict[UUID, list[Any]]()
    for part in parts_of(jobs):
        of_job |= {row.id: row.wait_id for row in connection.execute(_waits_of, {"these": part})}
    for part in parts_of(of_job.values()):
        for row in connection.execute(_edges, {"these": part}):
            of_wait.setdefault(row.wait_id, []).append(row)
    return {job_id: of_wait[wait_id] for job_id, wait_id in of_job.items() if wait_id in of_wait}


def _newest_tries(connection: Connection, jobs: Collection[UUID]) -> dict[UUID, UUID]:
    """The newest try of each of these jobs that was submitted anew, and the newest of that."""
    newest = {job_id: job_id for job_id in jobs}
    for _ in range(MOST_TRIES):
        found: dict[UUID, UUID] = {}
        for part in parts_of(newest.values()):
            found |= {row.retry_of: row.id for row in connection.execute(_tries, {"these": part})}
        if not found:
            break
        newest = {job_id: found.get(last, last) for job_id, last in newest.items()}
    return {job_id: last for job_id, last in newest.items() if job_id != last}


_these: Any = bindparam("these", expanding=True)
_waits_of = select(Job.id, Job.wait_id).where(Job.id.in_(_these), Job.wait_id.is_not(None))
_edges = (
    select(WaitsFor.wait_id, WaitsFor.kind, WaitsFor.on_id, WaitsFor.condition, WaitsFor.met, Wait.state, Wait.message)
    .join(Wait, Wait.id == WaitsFor.wait_id)
    .where(WaitsFor.wait_id.in_(_these)).order_by(WaitsFor.wait_id, WaitsFor.position)
)  # fmt: skip
_tries = select(Job.retry_of, Job.id).where(Job.retry_of.in_(_these)).order_by(Job.id)  # the newest one is the last
