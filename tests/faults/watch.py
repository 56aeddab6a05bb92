"""Reads the rows of running jobs five times a second: how far each attempt is, and which worker trains it."""

import threading
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from gradyard.jobs.errors import GradyardError
from gradyard.jobs.fleet import Queue
from gradyard.store.database import Database
from gradyard.store.dialects import now
from gradyard.store.tables import Claim, Job, Worker
from workers.pool.machine import machine_identity

LOOK_SECONDS = 0.2
TOLD_SECONDS = 2.5  # after so long a heartbeat has told of a step, in the full form, and a look has seen it


@dataclass
class AttemptSeen:
    """One attempt of a job as seen while it ran. All positions are steps."""

    began_at_step: int
    recorded_to: int
    trained_to: int
    worker: str  # its slot, named as in events
    recorded_at: float  # seconds since 1970, when it was last seen to begin or to record
    trains_since: float | None = None  # seconds since 1970, when it was first seen past its start step
    first_seen_at: int = 0  # the step that it had reached at `trains_since`
    last_seen: float = 0.0  # seconds since 1970, when it was last seen to advance

    def trained_not_before(self, now: float) -> float:
        """Seconds since 1970 before which it trained no step: until then its runner was started, and loaded."""
        return (now if self.trains_since is None else self.trains_since) - TOLD_SECONDS

    @property
    def steps_per_second(self) -> float | None:
        """How fast it trained; None where it was seen to advance for less than a second."""
        if self.trains_since is None or self.last_seen - self.trains_since < 1.0:
            return None
        return (self.trained_to - self.first_seen_at) / (self.last_seen - self.trains_since)


@dataclass(frozen=True)
class Busy:
    """A worker process and the pack that it trains at the moment."""

    slot: str
    host: str
    pid: int
    width: int
    members: tuple[tuple[UUID, int], ...]  # (job id, attempt)
    names: frozenset[str]
    unblamed: bool  # no member lost a runner or worker since its newest checkpoint
    recorded: bool  # this attempt has recorded losses

    @property
    def worker(self) -> str:
        """Its slot, named as in events."""
        return f"{self.slot}@{self.host}"


class Watch:
    """Follows running jobs. `seen` collects attempts by (job id, attempt); `busy()` reads the current state."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seen: dict[tuple[UUID, int], AttemptSeen] = {}

    def start(self) -> None:
        """Start the thread that looks."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread that looks."""
        self._finished.set()
        self._thread.join()

    def busy(self) -> list[Busy]:
        """All workers of this machine that hold a claim now; empty where the database does not answer."""
        try:
            rows = self._rows()
        except GradyardError:
            return []
        packs: dict[int, list[Any]] = {}
        for row in rows:
            if row.machine == machine_identity():  # else a fault could hit another process of that pid
                packs.setdefault(row.pid, []).append(row)
        return [self._as_busy(members) for members in packs.values()]

    def unfinished(self, priority: int | None = None) -> int | None:
        """How many jobs are queued or running that a worker can take; None where the database does not answer.

        priority: of those that have it; None: of all.
        """
        of_these = () if priority is None else (Job.priority == priority,)
        try:
            with self._database.read() as connection:
                unfinished = Job.state.in_(["queued", "running"])
                live = select(func.count()).where(unfinished, Job.queue != Queue.GPU, *of_these)
                return int(connection.execute(live).scalar_one())
        except GradyardError:
            return None

    def workers(self) -> dict[str, int]:
        """The pids of all live worker processes of this machine by slot, named as in events."""
        ours = (Worker.lease_until > now(), Worker.machine == machine_identity())
        alive = select(Worker.slot, Worker.host, Worker.pid).where(*ours)
        try:
            with self._database.read() as connection:
                return {f"{row.slot}@{row.host}": row.pid for row in connection.execute(alive)}
        except GradyardError:
            return {}

    def _as_busy(self, rows: list[Any]) -> Busy:
        one = rows[0]
        recorded = self.seen.get((one.id, one.attempt))
        return Busy(
            one.slot, one.host, one.pid, one.width, tuple((row.id, row.attempt) for row in rows),
            frozenset(row.name for row in rows if row.name), all(row.crashes + row.times_lost == 0 for row in rows),
            recorded is not None and recorded.recorded_to > recorded.began_at_step,
        )  # fmt: skip

    def _rows(self) -> list[Any]:
        running = select(
            Job.id, Job.attempt, Job.start_step, Job.steps_done, Job.name, Job.crashes, Job.times_lost, Claim.width,
            Claim.steps_done.label("trained_to"), Worker.slot, Worker.host, Worker.pid,
            Worker.machine,
        ).join(Claim, Job.claim_id == Claim.id).join(Worker, Claim.worker_id == Worker.id)  # fmt: skip
        with self._database.read() as connection:
            return list(connection.execute(running.where(Job.state == "running")))

    def _run(self) -> None:
        while not self._finished.wait(LOOK_SECONDS):
            try:
                rows = self._rows()
            except GradyardError:
                continue
            for row in rows:
                self._enter(row)

    def _enter(self, row: Any) -> None:
        seen = self.seen.setdefault(
            (row.id, row.attempt),
            AttemptSeen(row.start_step, row.steps_done, row.start_step, f"{row.slot}@{row.host}", time.time()),
        )
        if row.steps_done > seen.recorded_to:
            seen.recorded_to, seen.recorded_at = row.steps_done, time.time()
        reached = max(row.trained_to, row.steps_done)
        if reached > seen.trained_to:
            seen.trained_to, seen.last_seen = reached, time.time()
            if seen.trains_since is None:
                seen.trains_since, seen.first_seen_at = seen.last_seen, reached
