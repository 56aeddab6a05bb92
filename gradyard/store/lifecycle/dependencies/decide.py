"""Something ended for which others wait: is their wait over? It is read from the states, never counted."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, exists, literal_column, or_, select, union_all, update
from sqlalchemy.orm import aliased

from gradyard.jobs.specs.dependencies import Condition, WaitState
from gradyard.jobs.states import State
from gradyard.store.planners import prefer_indexes
from gradyard.store.queries.dependencies.targets import Target, deleted, targets
from gradyard.store.tables import (
    IS_FOLLOWED_AND_OVER,
    IS_FOLLOWED_BATCH,
    IS_QUEUED,
    IS_RUNNING,
    IS_WAITING,
    Batch,
    Job,
    Wait,
    WaitsFor,
)

TARGETS, WAITS = 100, 500  # that one transaction looks at


def waits_to_decide(connection: Connection) -> bool:
    """Whether a job or batch has ended that others wait for, and they have not heard of it. By indexes alone."""
    prefer_indexes(connection)
    return connection.execute(_first_ended).first() is not None


def decide_some(connection: Connection) -> bool:
    """Say of some waits that they are over, in a transaction of its own. Call again while it returns True.

    Of two that end at the same time, the one that is looked at last finds both ended, so no wait is forgotten: what is
    found here was committed before. Where another transaction looks at one, it is left to that.
    """
    prefer_indexes(connection)
    jobs = list(connection.execute(_ended_jobs).scalars())
    found = targets(connection, [*jobs, *connection.execute(_ended_batches).scalars()])
    # A batch may have been retried between the moment that a statement saw and its lock; that end is none.
    ended = {each.id for each in found.values() if each.has_ended}
    if not ended:
        return False
    batches = ended.difference(jobs)
    bad = [each for each in ended if found[each].bad]
    decided = list(connection.execute(_decided, {"these": list(ended), "bad": bad}).scalars())
    _decide(connection, decided)
    if len(decided) < WAITS:  # the others of these still wait for something else, and hear of that
        connection.execute(_unmark_jobs, {"these": jobs})
        connection.execute(_unmark_batches, {"these": list(batches)})
    return True


def waits_forgotten(connection: Connection) -> bool:
    """Whether a wait is over that no mark tells of."""
    return connection.execute(_forgotten.limit(1)).first() is not None


def decide_forgotten(connection: Connection) -> bool:
    """Decide some waits that are over and that no mark tells of. Call again while it returns True.

    An older version beside this one deletes what others wait for, and retries batches without marking them again.
    """
    return _decide(connection, list(connection.execute(_forgotten).scalars())) > 0


def _decide(connection: Connection, wait_ids: list[UUID]) -> int:
    """Write of each of these waits whether it is met or failed. Returns how many are over."""
    edges: dict[UUID, list[Any]] = {}
    for edge in connection.execute(_edges, {"these": wait_ids}):
        edges.setdefault(edge.wait_id, []).append(edge)
    found = targets(connection, {edge.on_id for of_wait in edges.values() for edge in of_wait})
    verdicts = [_verdict(wait_id, of_wait, found) for wait_id, of_wait in sorted(edges.items())]
    if decided := [each for each in verdicts if each["new_state"] != WaitState.WAITING]:
        connection.execute(_say, decided)
    failed = {each["of_wait"] for each in decided if each["new_state"] == WaitState.FAILED}
    # What a retry need not wait for, were it deleted by then; of a wait that is met, that is all.
    if met := [
        {"of_wait": edge.wait_id, "of_position": edge.position}
        for wait_id in sorted(failed) for edge in edges[wait_id]
        if edge.on_id in found and found[edge.on_id].met(edge.condition)
    ]:  # fmt: skip
        connection.execute(_met, met)
    return len(decided)


def _verdict(wait_id: UUID, edges: Iterable[Any], found: Mapping[UUID, Target]) -> dict[str, Any]:
    each_of = [(found.get(edge.on_id) or deleted(edge.on_id, edge.kind), edge.condition) for edge in edges]
    bad = [target.bad for target, condition in each_of if target.met(condition) is False]
    state = WaitState.FAILED if bad else WaitState.MET
    if not bad and any(target.met(condition) is None for target, condition in each_of):
        state = WaitState.WAITING
    message = f"it depends on what did not succeed: {'; '.join(bad)}" if bad else None
    return {"of_wait": wait_id, "new_state": state, "new_message": message}


_these: Any = bindparam("these", expanding=True)
_live = or_(
    exists().where(Job.batch_id == Batch.id, IS_QUEUED), exists().where(Job.batch_id == Batch.id, IS_RUNNING)
).self_group()  # fmt: skip
_ended_job = select(Job.id).where(IS_FOLLOWED_AND_OVER)
_ended_batch = select(Batch.id).where(IS_FOLLOWED_BATCH, ~_live)
_one_job, _one_batch = _ended_job.limit(1).subquery(), _ended_batch.limit(1).subquery()
_first_ended: Any = union_all(select(_one_job.c.id), select(_one_batch.c.id))
_ended_jobs = _ended_job.order_by(Job.id).limit(TARGETS).with_for_update(skip_locked=True)
_ended_batches = _ended_batch.order_by(Batch.id).limit(TARGETS).with_for_update(skip_locked=True)

# Of the waits for these those that are decided: one of these ended otherwise than asked, or all else has ended too.
_ended, _other, _other_job, _member = aliased(WaitsFor), aliased(WaitsFor), aliased(Job), aliased(Job)
_QUEUED: Any = literal_column(f"'{State.QUEUED}'")  # literals: the planners take no partial index without them
_RUNNING: Any = literal_column(f"'{State.RUNNING}'")
_still = exists().where(
    _other.wait_id == Wait.id,
    or_(
        exists().where(_other_job.id == _other.on_id, _other_job.state.in_([_QUEUED, _RUNNING])),
        exists().where(_member.batch_id == _other.on_id, _member.state == _QUEUED),
        exists().where(_member.batch_id == _other.on_id, _member.state == _RUNNING),
    ),
)
_is_bad = and_(_ended.condition == Condition.SUCCEEDED, _ended.on_id.in_(bindparam("bad", expanding=True)))
_decided = (
    select(Wait.id).join(_ended, _ended.wait_id == Wait.id)
    .where(_ended.on_id.in_(_these), IS_WAITING, or_(_is_bad, ~_still))
    .distinct().order_by(Wait.id).limit(WAITS)
)  # fmt: skip
_gone, _there, _batch_there = aliased(WaitsFor), aliased(Job), aliased(Batch)
_lacks_one = exists().where(
    _gone.wait_id == Wait.id,
    _gone.condition == Condition.SUCCEEDED,
    ~exists().where(_there.id == _gone.on_id),
    ~exists().where(_batch_there.id == _gone.on_id),
)
_forgotten = select(Wait.id).where(IS_WAITING, or_(_lacks_one, ~_still)).limit(WAITS)
_edges = (
    select(WaitsFor.wait_id, WaitsFor.position, WaitsFor.kind, WaitsFor.on_id, WaitsFor.condition)
    .where(WaitsFor.wait_id.in_(_these)).order_by(WaitsFor.wait_id, WaitsFor.position)
)  # fmt: skip
_say = (
    update(Wait.__table__)  # type: ignore[arg-type]
    .where(Wait.id == bindparam("of_wait"), Wait.state == WaitState.WAITING)
    .values(state=bindparam("new_state"), message=bindparam("new_message"))
)
_met = (
    update(WaitsFor.__table__)  # type: ignore[arg-type]
    .where(WaitsFor.wait_id == bindparam("of_wait"), WaitsFor.position == bindparam("of_position")).values(met=True)
)  # fmt: skip
_unmark_jobs = update(Job).where(Job.id.in_(_these)).values(followed=False)
_unmark_batches = update(Batch).where(Batch.id.in_(_these)).values(followed=False)
