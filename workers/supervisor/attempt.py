"""One attempt at a pack, from its first frame to its last. Every way out leaves no member of it running."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from gradyard.store import lifecycle
from workers.logs import log_finished
from workers.protocol.segment import Stretch
from workers.protocol.wire import Frame
from workers.runner_client.errors import DeviceBroken, RunnerDied
from workers.runner_client.send_pack import send_pack
from workers.supervisor import failure_policy
from workers.supervisor.best_effort_commit import BestEffortCommit
from workers.supervisor.pack import Member, Pack
from workers.supervisor.records import Record, Written, record_of, write_record
from workers.supervisor.resume import states_to_resume
from workers.supervisor.runner_timeouts import RunnerTimeouts
from workers.supervisor.worker_context import WorkerContext

log = structlog.get_logger()

SPARE_SECONDS = 1.0  # a pack that trains for so long is worth a runner that stands ready for it


class Attempt:
    """Hands the pack to the runner, takes its segments, and tends to cancels, time limits and stops in between."""

    def __init__(self, context: WorkerContext, pack: Pack) -> None:
        self._station = context
        self._pack, self._runner, self._heartbeat = pack, context.runner, context.heartbeat
        self._settings = context.settings
        self._actor, self._commit, self._stopping = context.actor, context.commit, context.stopping
        self._commit_best_effort = BestEffortCommit(context.commit_once).commit_best_effort
        self._timeouts = RunnerTimeouts(context.settings.torch_device)
        self._begun = False  # the runner said that it has the pack

    def run(self) -> None:
        """Train until every member has moved on."""
        self._runner.output.forget()
        try:
            states = states_to_resume(self._pack, self._station, actor=self._actor)
            if states is None:
                return
            seconds = self._settings.segment_seconds, self._settings.record_seconds
            send_pack(self._runner, self._pack.train_frame(states, *seconds), self._stopping)
            self._begun = True
            self._timeouts.heard()
            while not self._serve(self._runner.receive(0.05)):
                self._tend()
        except DeviceBroken as error:
            why, worker = str(error), self._station.worker
            self._for_all(lambda connection: failure_policy.device_broken(connection, self._pack, why, worker), why)
        except RunnerDied as error:
            self._heartbeat.throughput.count("runner_deaths")
            self._runner.end()
            blame, words = failure_policy.pack_crashed if self._begun else failure_policy.runner_missing, str(error)
            self._for_all(lambda connection: blame(connection, self._pack, words, actor=self._actor), words)

    def _serve(self, frame: Frame | None) -> bool:
        """Take what the runner said; whether the pack is over."""
        if frame is None:
            return False
        self._timeouts.heard()
        if frame.kind in ("idle", "preparing"):
            self._timeouts.preparing = frame.kind == "preparing"
            return frame.kind == "idle"
        if frame.kind == "otherwise":
            return self._fall_back(frame.fields["traceback"])
        if frame.kind == "failed":
            fields = frame.fields
            self._runner.output.add(fields["traceback"])
            if fields["device_error"]:  # the job's fault, or the device's: a fresh process tells
                self._begun = False  # whatever happens to that one is no pack's doing
                self._runner.end()
                self._runner.ensure(self._stopping)
            self._for_all(
                lambda connection: failure_policy.pack_failed(connection, self._pack, fields, actor=self._actor),
                fields["message"],
            )
            return True
        return self._segment(Stretch(frame))

    def _fall_back(self, why: str) -> bool:
        """The compiler of this machine does not work: the stage is trained as it is written. Whether the pack is over.

        A capture that broke off leaves a process whose GPU nobody should trust: there a fresh one takes the jobs.
        """
        log.warning("the compiler does not work; trained eagerly", error=why)
        self._pack.engine = "eager"
        fences = [(member.job.id, member.job.attempt) for member in self._pack.in_order()]
        self._commit(lambda connection: lifecycle.train_eagerly(connection, fences))
        if self._settings.torch_device != "cuda":
            return False
        self._runner.end()
        self._for_all(
            lambda connection: failure_policy.fell_back_to_eager(connection, self._pack, actor=self._actor), "no graph"
        )
        return True

    def _segment(self, stretch: Stretch) -> bool:
        self._timeouts.segment_seconds, self._timeouts.preparing = stretch.seconds, False
        self._pack.take(stretch)
        self._heartbeat.throughput.trained(stretch.losses.size)
        self._heartbeat.steps_done = self._pack.step
        if members := self._pack.members_to_record(stretch):
            write = partial(self._write, record=record_of(self._pack, members, stretch))
            # A record on the way can wait for the next one, which then holds both; the last words of a member cannot.
            last_words = stretch.finished or any(member.diverged_at is not None for member in members)
            written: list[Written] = (self._commit if last_words else self._commit_best_effort)(write) or []
            self._timeouts.heard()  # while we waited for the database, nobody listened
            for each in written:
                self._pack.mark_recorded(each.member, each.progress)
            self._heartbeat.throughput.count("fenced_writes", sum(each.fenced for each in written))
            self._heartbeat.throughput.ended(
                sum(each.gone and not each.fenced for each in written) if stretch.finished else 0
            )
            why = "trained" if stretch.finished else "stopped" if stretch.stopped else "diverged"
            gone = [each for each in written if each.gone]
            self._leave([each.member for each in gone if not each.fenced], why, tell=not stretch.finished)
            self._leave([each.member for each in gone if each.fenced], "fenced", tell=not stretch.finished)
        return stretch.finished

    def _write(self, connection: Connection, record: Record) -> list[Written]:
        if record.stretch.finished:
            self._keep_logs(connection, record.members)
        written = write_record(connection, self._pack, record, actor=self._actor)
        if len(written) == len(self._pack.members) and all(each.gone for each in written):
            # In the same transaction: nobody must wait for the lock a second time.
            lifecycle.release(connection, self._pack.claim.id, actor=self._actor)
        return written

    def _tend(self) -> None:
        """Between two frames: a lost claim, cancels, time limits, a stop, a runner that says nothing."""
        if self._heartbeat.claim_is_lost() and self._pack.members:
            self._forget_all()
        self._let_go(self._marked(), "cancelled", lambda connection, member: lifecycle.cancel_by_worker(
            connection, member.job.id, member.job.attempt, actor=self._actor
        ))  # fmt: skip
        self._let_go(self._late(), "over its time", lambda connection, member: failure_policy.timed_out(
            connection, self._pack, member, actor=self._actor
        ))  # fmt: skip
        self._timeouts.look()
        if self._age() > SPARE_SECONDS:
            self._runner.prepare_spare()
            self._runner.note_memory()
        if self._stopping() and self._timeouts.asked_to_stop_at is None:
            self._timeouts.asked_to_stop_at = time.monotonic()
            self._runner.send(Frame("stop"))
        if why := self._timeouts.kill_reason():
            self._runner.end()
            raise RunnerDied(why)

    def _marked(self) -> list[Member]:
        cancelled = self._heartbeat.cancelled()
        return [member for member in self._pack.in_order() if member.job.id in cancelled]

    def _late(self) -> list[Member]:
        age = self._age()
        return [member for member in self._pack.in_order() if age > member.job.timeout_seconds]

    def _age(self) -> float:
        return time.monotonic() - self._timeouts.began

    def _let_go(self, members: list[Member], why: str, move: Callable[[Connection, Member], Any]) -> None:
        """Move these rows now, discard what still comes for them, and tell the runner to drop them."""

        def write(connection: Connection) -> list[Any]:
            self._keep_logs(connection, members)
            return [move(connection, member) for member in members]

        if members and self._commit_best_effort(write):
            self._leave(members, why)

    def _forget_all(self) -> None:
        """The claim was given to others while this worker slept or was cut off: nothing it did since counts."""
        members = list(self._pack.members.values())
        self._heartbeat.throughput.count("fenced_writes", len(members))
        for member in members:
            log.warning("fenced", job=str(member.job.id), attempt=member.job.attempt, what="claim lost")
        self._leave(members, "claim lost")

    def _leave(self, members: list[Member], why: str, *, tell: bool = True) -> None:
        """These rows have moved on; a runner that is still at it is told, or trains them to their last step."""
        log_finished([member.job for member in members], why)
        for member in members:
            del self._pack.members[member.index]
        if not self._pack.members and self._timeouts.emptied_at is None:
            self._timeouts.emptied_at = time.monotonic()
        if members and tell:
            self._runner.send(Frame("drop", {"members": [member.index for member in members]}))

    def _for_all(self, write: Callable[[Connection], Any], why: str) -> None:
        def write_all(connection: Connection) -> None:
            self._keep_logs(connection, self._pack.in_order())
            write(connection)

        self._commit(write_all)
        log_finished([member.job for member in self._pack.in_order()], why)
        self._pack.members.clear()

    def _keep_logs(self, connection: Connection, members: list[Member]) -> None:
        """What the runner said belongs to every member: nobody knows which of them it was about."""
        text, truncated = self._runner.output.said()
        if not text:
            return
        if not self._pack.of_one_project:
            text, truncated = "(of a pack with jobs of several projects: what its runner said is kept for none)", False
        elif self._pack.width > 1:
            text = f"(of a pack of {self._pack.width}, which share their output)\n{text}"
        for member in members:
            lifecycle.keep_log(connection, member.job.id, member.job.attempt, text, truncated=truncated)
