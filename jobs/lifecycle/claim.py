"""A worker takes the first job that it can train, and with it the riders that train as one program."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    bindparam,
    cast,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from jobs.curves import Summary
from jobs.database import for_claiming, now
from jobs.identifiers import new_id
from jobs.lifecycle.holds import held_back
from jobs.lifecycle.moves import write_events
from jobs.lifecycle.presence import Abilities, WorkerFacts
from jobs.lifecycle.turns import move_on
from jobs.stages import stage_named
from jobs.states import State
from jobs.tables import Claim as ClaimRow
from jobs.tables import Job, Worker


@dataclass(frozen=True)
class ClaimedJob:
    """One member of a claimed pack: its fence (id, attempt) and what training it needs.

    `summary` holds the curve's figures so far, by the names of the columns of `jobs`.
    """

    id: UUID
    attempt: int
    spec: dict[str, Any]
    resolved: dict[str, Any]
    warnings: list[dict[str, str]]
    spec_sha256: str
    timeout_seconds: float
    failures: int
    last_error: str | None
    summary: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """A pack that this worker now holds; every member has the same stage, steps, dtype and start step."""

    id: UUID
    stage: str
    steps: int
    start_step: int
    engine: str
    members: list[ClaimedJob]


def claim(
    connection: Connection, worker: WorkerFacts, lease_seconds: float, memory_mib: int | None = None
) -> Claim | None:
    """Claim the first claimable job of the worker's queue and the riders of its key; None where there is none.

    None as well where the worker's queue is paused, or its slot or host drained. `memory_mib` of its GPU are free.
    """
    head = connection.execute(_questions(worker.abilities).head, {"of_worker": worker.id}).first()
    if head is None:
        return None
    engine = head.engine or stage_named(head.stage).engine_for(head.spec["execution"], worker.engines)
    rows = [head, *_riders(connection, worker, head, engine, memory_mib)]
    claim_id, ids = new_id(), [row.id for row in rows]
    lease = {"lease_until": now() + lease_seconds, "claimed_at": now()}
    connection.execute(insert(ClaimRow).values(
        id=claim_id, worker_id=worker.id, queue=worker.queue, width=len(rows), steps_done=head.start_step, **lease,
    ))  # fmt: skip
    connection.execute(update(Job).where(Job.id.in_(ids), Job.state == State.QUEUED).values(
        state=State.RUNNING, attempt=Job.attempt + 1, claim_id=claim_id, started_at=now(), not_before=None,
        steps_done=Job.start_step, pack_size=len(rows), queue=worker.queue, engine=engine,
    ))  # fmt: skip
    move_on(connection, worker.id, head)
    goes_on = f"goes on from step {head.start_step}" if head.start_step else None
    write_events(connection, ids, State.QUEUED, State.RUNNING, actor=worker.name, detail=goes_on)
    return Claim(claim_id, head.stage, head.steps, head.start_step, engine, [_member(row) for row in rows])


def train_eagerly(connection: Connection, fences: Iterable[tuple[UUID, int]]) -> None:
    """The engine that these attempts (job and attempt) were to be trained with does not work on this machine."""
    for job_id, attempt in fences:
        fence = (Job.id == job_id, Job.state == State.RUNNING, Job.attempt == attempt)
        connection.execute(update(Job).where(*fence).values(engine="eager"))


def something_to_claim(connection: Connection, abilities: Abilities) -> bool:
    """Whether a claim of such a worker would find something now; it claims and locks nothing."""
    return connection.execute(_questions(abilities).any).first() is not None


@dataclass(frozen=True)
class _Questions:
    """What a worker of some abilities asks at each claim; built once, since building costs more than asking."""

    any: Any  # whether there is a head at all
    head: Any
    waiting: Any  # how many jobs of a key, at most `most`
    riders: Any


_FIGURES = tuple(Summary().columns())
_COLUMNS = [Job.__table__.columns[name] for name in (
    "id", "stage", "numerics_version", "dtype", "steps", "start_step", "attempt", "engine", "pack_key", "max_pack",
    "gpu_memory_mib", "priority", "rank", "spec", "resolved", "warnings", "spec_sha256", "failures", "last_error",
    *_FIGURES,
)]  # fmt: skip
_may_claim = ~select(Worker.id).where(Worker.id == bindparam("of_worker"), held_back).exists()


@lru_cache(maxsize=32)
def _questions(abilities: Abilities) -> _Questions:
    turn = (Job.priority.desc(), Job.rank, Job.id)
    able, most = _claimable_by(abilities), bindparam("most", type_=Integer)
    same = (
        Job.pack_key == bindparam("key"), Job.start_step == bindparam("step"), Job.id != bindparam("head"),
        or_(Job.max_pack.is_(None), Job.max_pack > 1), or_(Job.engine.is_(None), Job.engine == bindparam("engine")),
    )  # fmt: skip
    waiting = select(Job.id).where(*able, *same).limit(most).subquery()
    return _Questions(
        any=select(Job.id).where(*able).limit(1),
        head=for_claiming(select(*_COLUMNS).where(*able, _may_claim).order_by(*turn).limit(1)),
        waiting=select(func.count()).select_from(waiting),
        riders=for_claiming(select(*_COLUMNS).where(*able, *same).order_by(*turn).limit(most)),
    )


def _claimable_by(abilities: Abilities) -> list[ColumnElement[bool]]:
    """What a row must satisfy: its queue, its moment, a stage that is installed, a device that fits."""
    return [
        Job.state == literal_column("'queued'"),  # a literal, so that the partial index serves
        Job.queue.in_([abilities.queue, "any"]),
        or_(Job.not_before.is_(None), Job.not_before <= now()),
        tuple_(Job.stage, Job.numerics_version).in_(list(abilities.stages)),
        or_(Job.pool.is_(None), Job.pool == abilities.pool),
        or_(Job.gpu_memory_mib.is_(None), Job.gpu_memory_mib <= abilities.memory_mib),
        or_(Job.engine.is_(None), Job.engine.in_(abilities.engines)),
    ]


def _riders(connection: Connection, worker: WorkerFacts, head: Any, engine: str, memory_mib: int | None) -> list[Any]:
    """Jobs of the head's key, as many as its width allows and as leave the other idle slots their share."""
    widest = stage_named(head.stage).width(
        head.dtype, _points(head.spec["dataset"]), engine, worker.queue, memory_mib, head.gpu_memory_mib
    )
    widest = min(widest, head.max_pack or widest, worker.most_members)
    if widest <= 1:
        return []
    questions = _questions(worker.abilities)
    same = {"key": head.pack_key, "step": head.start_step, "head": head.id, "engine": engine}
    waiting = connection.execute(questions.waiting, same | {"most": widest * 8}).scalar_one()
    if waiting == 0:
        return []
    share = -(-(waiting + 1) // max(1, _idle_slots(connection, worker)))
    rows = connection.execute(questions.riders, same | {"most": min(widest, share) - 1})
    return _who_fit(list(rows), widest)


def _who_fit(rows: list[Any], widest: int) -> list[Any]:
    """The riders, in their order, that leave everybody's `max_pack`, their own included, as wide as the pack."""
    riders: list[Any] = []
    for row in rows:
        allowed = min(widest, row.max_pack or widest)
        if len(riders) + 2 <= allowed:
            riders.append(row)
            widest = allowed
    return riders


def _points(dataset: dict[str, Any]) -> int:
    return len(dataset["x"]) if "x" in dataset else int(dataset["points"])


def _idle_slots(connection: Connection, worker: WorkerFacts) -> int:
    """Live slots of this queue that hold no claim, this one included."""
    busy = select(ClaimRow.id).where(ClaimRow.worker_id == Worker.id).exists()
    able = (Worker.queue == worker.queue, Worker.lease_until > now(), ~busy, ~held_back)
    return int(connection.execute(select(cast(func.count(), Integer)).where(*able)).scalar_one())


def _member(row: Any) -> ClaimedJob:
    summary = dict(zip(_FIGURES, row[-len(_FIGURES) :], strict=True))
    return ClaimedJob(
        row.id, row.attempt + 1, row.spec, row.resolved, row.warnings, row.spec_sha256, row.spec["timeout_seconds"],
        row.failures, row.last_error, summary,
    )  # fmt: skip
