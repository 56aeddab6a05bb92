"""Random lives of jobs: each step is done by the real functions and by the model, and then all rows are compared."""

from typing import Any, ClassVar
from uuid import UUID

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule
from sqlalchemy import select, update

from gradyard.jobs.errors import IllegalMove
from gradyard.jobs.settings import Settings
from gradyard.jobs.states import Reason
from gradyard.store import fleet, lifecycle
from gradyard.store.database import Database
from gradyard.store.fleet import WorkerInfo
from gradyard.store.lifecycle import ClaimedJob, Outcome
from gradyard.store.tables import Checkpoint, Claim, Job, JobEvent, LossChunk, Result
from tests.actors import expires, progress_of, submitted, worker_of
from tests.store.lifecycle_model import FINISHED, QUEUED, RUNNING, ModelClaim, ModelJob
from tests.store.one_job import forget_everything
from tests.store.test_summaries import assert_like_the_rows

STEPS = (6, 7)  # two pack keys
DEEDS = ("record", "record, answer lost", "succeed", "diverge", "fail", "hand back", "let go", "rewind")
Member = tuple[ModelClaim, ModelJob, ClaimedJob]


class Lives(RuleBasedStateMachine):
    """Jobs, slots whose processes come and go, and everything that those may say, in time or as zombies."""

    database: ClassVar[Database]
    settings: ClassVar[Settings]
    members = Bundle("members")

    def __init__(self) -> None:
        super().__init__()
        forget_everything(self.database)
        self.jobs: dict[UUID, ModelJob] = {}
        self.numbers = 0
        self.workers: list[WorkerInfo] = []
        self.present: dict[str, int] = {}  # by slot, its newest process
        self.claims: dict[UUID, ModelClaim] = {}
        self.at: dict[tuple[UUID, int], int] = {}  # how far each attempt believes to be
        self.told: dict[tuple[UUID, int], int] = {}  # and how far it has told of, perhaps without an answer
        self.start_a_process("cpu-0")
        for steps in (*STEPS, STEPS[0]):
            self.submit(steps)

    @rule(steps=st.sampled_from(STEPS), priority=st.sampled_from([0, 0, 1]))
    def submit(self, steps: int, priority: int = 0) -> None:
        job_id = submitted(self.database, self.settings, steps=steps, priority=priority)
        self.jobs[job_id] = ModelJob(self.next_number(), steps, priority)

    def next_number(self) -> int:
        """The place behind all jobs that ever had one."""
        self.numbers += 1
        return self.numbers

    @rule(slot=st.sampled_from(["cpu-0", "cpu-1"]))
    def start_a_process(self, slot: str) -> None:
        worker = worker_of(self.database, slot)
        with self.database.begin() as connection:
            moved = lifecycle.hand_back_slot(connection, worker)
        dead = [claim for claim in self.claims.values() if claim.there and self.workers[claim.worker].slot == slot]
        assert moved == sum(len(list(claim.running())) for claim in dead)
        for claim in dead:
            claim.lose()
        self.present[slot] = len(self.workers)
        self.workers.append(worker)

    @rule(target=members, slot=st.sampled_from(["cpu-0", "cpu-1"]))
    def claim(self, slot: str) -> Any:
        if slot not in self.present:
            return multiple()
        with self.database.begin() as connection:
            claim = lifecycle.claim(connection, self.workers[self.present[slot]], 15.0)
        waiting = [job for job in self.jobs.values() if job.state == QUEUED and not job.blocked]
        if claim is None:
            assert waiting == []
            return multiple()
        pack = [self.jobs[member.id] for member in claim.members]
        # One that was handed back has the place where it was claimed, which may be before that of its submission.
        assert pack[0].priority == max(job.priority for job in waiting)
        assert pack[0].attempt or pack[0] is min(waiting, key=lambda job: (-job.priority, job.number))
        assert all(
            (job.steps, job.start_step, job.state) == (pack[0].steps, pack[0].start_step, QUEUED) for job in pack
        )
        assert all(job.max_pack is None or len(pack) <= job.max_pack for job in pack)
        for job, member in zip(pack, claim.members, strict=True):
            job.move(RUNNING)
            job.steps_done = job.start_step
            self.at[member.id, member.attempt] = job.start_step
        model = ModelClaim(self.present[slot], [(job, job.attempt) for job in pack], len(pack))
        self.claims[claim.id] = model
        return multiple(*((model, job, member) for job, member in zip(pack, claim.members, strict=True)))

    @rule(member=members, deed=st.sampled_from(DEEDS), steps=st.integers(1, 3))
    def tell(self, member: Member, deed: str, steps: int) -> None:
        """A worker reports on a job that it claimed once, even where it has lost the job since."""
        _, job, claimed = member
        held = claimed.id in self.jobs and job.held_by(claimed.attempt)
        attempt = (claimed.id, claimed.attempt)
        believed = self.at[attempt]
        up_to = job.steps if deed == "succeed" else min(max(believed + steps, self.told.get(attempt, 0)), job.steps)
        losses = (float(claimed.attempt),) * (up_to - believed)
        with self.database.begin() as connection:
            said = self._say(connection, deed, claimed, believed, losses)
        assert said == held, f"{deed}: {said}, though held is {held}"
        if held:
            self._expect(deed, job, believed, losses)
        if deed in ("record", "rewind"):
            self.at[attempt] = up_to if deed == "record" else 0
        # An answer was lost: the next record begins where this one did, and holds at least as much.
        self.told[attempt] = {"record, answer lost": up_to, "rewind": 0}.get(deed, self.told.get(attempt, 0))

    def _say(self, connection: Any, deed: str, claimed: ClaimedJob, at: int, losses: tuple[float, ...]) -> bool:
        fence = claimed.held
        if deed in ("record", "record, answer lost", "succeed", "diverge"):
            lifecycle_says = lifecycle.record(
                connection, progress_of(claimed, list(losses), at, checkpoint=deed != "diverge")
            )
            if deed.startswith("record"):
                return lifecycle_says
        if deed == "succeed":
            return lifecycle.succeed(connection, fence, Outcome({"a": 1.0}, None, {}), actor="worker")
        if deed in ("fail", "diverge"):
            reason = Reason.DIVERGED if deed == "diverge" else Reason.ERROR
            return lifecycle.fail(connection, fence, reason, "it broke", actor="worker")
        if deed == "hand back":
            return lifecycle.hand_back(connection, fence, actor="worker", detail="stops", max_pack=2)
        if deed == "let go":
            return lifecycle.cancel_by_worker(connection, fence, actor="worker")
        return lifecycle.rewind(connection, fence, 0)

    def _expect(self, deed: str, job: ModelJob, at: int, losses: tuple[float, ...]) -> None:
        if deed in ("record", "record, answer lost", "succeed", "diverge"):
            job.record(at, losses, checkpoint=deed != "diverge")
        if deed == "succeed":
            job.result = job.attempt
            job.move("succeeded")
        elif deed in ("fail", "diverge"):
            job.fail("diverged" if deed == "diverge" else "error")
        elif deed == "hand back":
            job.hand_back(max_pack=2)
        elif deed == "let go":
            job.move("cancelled")
        elif deed == "rewind":
            job.rewind(0)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job_id, job = self._any_job(data)
        if job is not None:
            self.request_cancel(job_id)

    def request_cancel(self, job_id: UUID) -> None:
        """Ask for the cancel of that job."""
        job = self.jobs[job_id]
        try:
            with self.database.begin() as connection:
                said = lifecycle.request_cancel(connection, job_id, actor="client")
        except IllegalMove:
            assert job.state in ("succeeded", "failed")
            return
        if job.state == QUEUED:
            job.move("cancelled")
        job.marked = job.marked or job.state == RUNNING
        assert said == job.state

    @rule(data=st.data())
    def cancel_over_its_head(self, data: st.DataObject) -> None:
        job_id, job = self._any_job(data)
        if job is None:
            return
        with self.database.begin() as connection:
            said = lifecycle.move_silent(connection, job_id, actor="client")
        assert said == (job.marked and job.state == RUNNING)
        if said:
            job.move("cancelled")

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        job_id, job = self._any_job(data)
        if job is None:
            return
        try:
            with self.database.begin() as connection:
                assert lifecycle.delete_job(connection, 1, job_id)
        except IllegalMove:
            assert job.state in (QUEUED, RUNNING) or self.is_needed(job_id)
            return
        assert job.state in FINISHED
        assert not self.is_needed(job_id)
        del self.jobs[job_id]

    def is_needed(self, job_id: UUID) -> bool:
        """Whether a job waits for the end of this one, or has not heard of it."""
        waits = any(job_id in job.after for job in self.jobs.values() if job.blocked and job.wait == "waiting")
        return waits or self.jobs[job_id].followed

    @rule(member=members, noticed=st.booleans())
    def time_passes(self, member: Member, noticed: bool) -> None:
        """The lease of his claim is over; maintenance may or may not have noticed yet."""
        claim_id, model = self._claim_of(member)
        with self.database.begin() as connection:
            connection.execute(update(Claim).where(Claim.id == claim_id).values(lease_until=0.0))
        model.over = True
        if noticed:
            self.maintain()

    @rule()
    def maintain(self) -> None:
        with self.database.begin() as connection:
            expires(connection)
        for model in self.claims.values():
            if model.there and model.over:
                model.lose()

    @rule(member=members)
    def beat(self, member: Member) -> None:
        claim_id, model = self._claim_of(member)
        with self.database.begin() as connection:
            said = fleet.heartbeat(connection, self.workers[model.worker], 15.0, claim_id, 0)
        assert said == model.there
        model.over = False

    @rule(member=members)
    def release(self, member: Member) -> None:
        claim_id, model = self._claim_of(member)
        with self.database.begin() as connection:
            lifecycle.release(connection, claim_id, actor="worker")
        model.release()

    @invariant()
    def the_rows_are_those_of_the_model(self) -> None:
        assert self._rows() == {job_id: _as_row(job) for job_id, job in self.jobs.items()}
        with self.database.read() as connection:
            there = set(connection.execute(select(Claim.id)).scalars())
        assert there == {claim_id for claim_id, model in self.claims.items() if model.there}
        assert_like_the_rows(self.database)

    def _claim_of(self, member: Member) -> tuple[UUID, ModelClaim]:
        return next((claim_id, model) for claim_id, model in self.claims.items() if model is member[0])

    def _any_job(self, data: st.DataObject) -> tuple[UUID, ModelJob | None]:
        if not self.jobs:
            return UUID(int=0), None
        return data.draw(st.sampled_from(sorted(self.jobs.items(), key=lambda item: item[1].number)))

    def _rows(self) -> dict[UUID, Any]:
        with self.database.read() as connection:
            rows: dict[UUID, list[Any]] = {row.id: [row] for row in connection.execute(select(Job.__table__))}
            for table, order in ((JobEvent, JobEvent.sequence), (LossChunk, LossChunk.start_step),
                                 (Checkpoint, Checkpoint.step), (Result, Result.attempt)):  # fmt: skip
                found: dict[UUID, list[Any]] = {job_id: [] for job_id in rows}
                for row in connection.execute(select(table).order_by(order)):
                    found[row.job_id].append(row)
                for job_id in rows:
                    rows[job_id].append(found[job_id])
        return {job_id: _told(*row) for job_id, row in rows.items()}


def _told(job: Any, events: list[Any], chunks: list[Any], checkpoints: list[Any], results: list[Any]) -> Any:
    figures = (job.state, job.attempt, job.cancel_requested_at is not None, job.start_step, job.steps_done,
               job.times_lost,
               job.max_pack, job.reason, job.queue == "blocked", job.followed)  # fmt: skip
    losses = {chunk.start_step: tuple(np.frombuffer(chunk.losses, dtype="<f4").tolist()) for chunk in chunks}
    return (figures, [(event.from_state, event.to_state, event.attempt) for event in events], losses,
            {each.step for each in checkpoints}, [each.attempt for each in results])  # fmt: skip


def _as_row(job: ModelJob) -> Any:
    figures = (
        job.state,
        job.attempt,
        job.marked,
        job.start_step,
        job.steps_done,
        job.times_lost,
        job.max_pack,
        job.reason,
        job.blocked,
        job.followed,
    )
    return figures, job.events, job.chunks, job.checkpoints, [] if job.result is None else [job.result]
