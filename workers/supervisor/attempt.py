"""One attempt at a pack, from its first message to its last. However it ends, no member of it is left running."""

from functools import partial

import structlog
from sqlalchemy import Connection

from gradyard.jobs.errors import ContentUnavailable
from gradyard.jobs.fleet import FleetCounter
from gradyard.store import fleet, lifecycle
from workers.protocol.frame import FrameBroken
from workers.protocol.messages import (
    FailedMessage,
    FallbackMessage,
    IdleMessage,
    Message,
    PreparingMessage,
    SegmentMessage,
    StopMessage,
)
from workers.runner_client.errors import DeviceBroken, RunnerDied, WorkerStops
from workers.runner_client.send_pack import send_pack
from workers.supervisor import failure_policy
from workers.supervisor.best_effort_commit import BestEffortCommit
from workers.supervisor.checked_segment import check_segment
from workers.supervisor.data.train_message import train_message
from workers.supervisor.departures import Departures
from workers.supervisor.pack import Member, Pack
from workers.supervisor.records import Left, Record, Written, record_of, write_record
from workers.supervisor.resume import states_to_resume
from workers.supervisor.runners.logs import keep_logs
from workers.supervisor.runners.timeouts import RunnerTimeouts
from workers.supervisor.worker_context import WorkerContext

log = structlog.get_logger()

NOTE_SECONDS = 1.0  # until a pack has taken the memory that it needs


class Attempt:
    """Sends the pack to the runner, takes its segments, and acts on cancels, time limits and stops in between."""

    def __init__(self, context: WorkerContext, pack: Pack) -> None:
        self._context, self._pack = context, pack
        self._runner, self._heartbeat, self._actor = context.runner, context.heartbeat, context.actor
        self._best_effort = BestEffortCommit(context.commit_once)
        self._timeouts = RunnerTimeouts(context.settings.torch_device)
        self._departures = Departures(context, pack, self._timeouts, self._best_effort)
        self._begun = False  # the runner confirmed that it has the pack
        self._stop_sent = False

    def run(self) -> None:
        """Train until every member has left the pack."""
        self._runner.output.clear()
        try:
            states = states_to_resume(self._pack, self._context)
            if states is None:
                return
            send_pack(self._runner, train_message(self._context, self._pack, states), self._context.stopping)
            self._begun = True
            self._timeouts.heard()
            while not self._handle(self._runner.receive(0.05)):
                self._tend()
        except ContentUnavailable as error:
            policy = partial(failure_policy.without_file, pack=self._pack, error=error, actor=self._actor)
            self._departures.all(policy, str(error))
        except DeviceBroken as error:
            cause, worker = str(error), self._context.worker
            self._departures.all(lambda c: failure_policy.device_failed(c, self._pack, cause, worker), cause)
        except RunnerDied as error:
            self._runner_died(error)
        except FrameBroken as error:
            self._runner_misled(str(error))

    def _runner_died(self, error: RunnerDied) -> None:
        cause, policy = str(error), failure_policy.pack_crashed if self._begun else failure_policy.runner_not_started
        self._runner.end()
        if isinstance(error, WorkerStops):
            policy = failure_policy.worker_stops
        else:
            self._heartbeat.throughput.count(FleetCounter.RUNNER_DEATHS)
        self._departures.all(lambda connection: policy(connection, self._pack, cause, actor=self._actor), cause)

    def _runner_misled(self, cause: str) -> None:
        """The runner sent what cannot be right. Its trainer's code is in the same process, and counts as the cause."""
        self._runner.end()
        self._failed(FailedMessage(
            message=f"its runner sent a message that cannot be right: {cause}", step=self._pack.step, traceback="",
            out_of_memory=False, device_error=False, member=None,
        ))  # fmt: skip

    def _handle(self, message: Message | None) -> bool:
        """Act on a message of the runner. Return whether the pack is finished."""
        if message is None:
            return False
        self._timeouts.heard()
        match message:
            case SegmentMessage():
                self._segment(message)
                return message.finished
            case PreparingMessage():
                self._timeouts.preparing()
                return False
            case FallbackMessage() if self._pack.may_fall_back:
                return self._fall_back(message)
            case FailedMessage():
                self._failed(message)
                return True
            case IdleMessage() if not self._pack.members:
                return True
        raise FrameBroken(f"a runner that trains does not send a {type(message).__name__} now")

    def _failed(self, failed: FailedMessage) -> None:
        self._runner.output.add(failed.traceback)
        if failed.device_error:  # the job or the device is the cause: a fresh process shows which
            self._begun = False  # if the fresh one dies, the pack is not the cause
            self._runner.end()
            self._runner.ensure(self._context.stopping)
        policy = partial(failure_policy.pack_failed, pack=self._pack, failed=failed, actor=self._actor)
        self._departures.all(policy, failed.message)

    def _fall_back(self, fallback: FallbackMessage) -> bool:
        """Train eagerly, as the compiler of this machine does not work. Return whether the pack is finished.

        A process whose capture of a graph broke off may have a broken GPU context, so there a fresh one takes the jobs.
        """
        log.warning("the compiler does not work; trained eagerly", error=fallback.traceback)
        self._pack.train_eagerly()
        fences = [member.job.held for member in self._pack.in_order()]
        self._context.commit(lambda connection: lifecycle.train_eagerly(connection, fences))
        if self._context.settings.torch_device != "cuda":
            return False
        self._runner.end()
        self._departures.all(
            lambda connection: failure_policy.engine_unusable(connection, self._pack, actor=self._actor),
            "engine unusable",
        )
        return True

    def _segment(self, segment: SegmentMessage) -> None:
        check_segment(segment, self._pack, stop_requested=self._stop_sent)
        self._timeouts.segment_took(segment.seconds)
        self._pack.take(segment)
        self._heartbeat.throughput.trained(segment.losses.size)
        self._heartbeat.progressed(self._pack.step)
        if members := self._pack.members_to_record(segment):
            self._store(record_of(self._pack, members, segment))

    def _store(self, record: Record) -> None:
        # A record in the middle can wait for the next one, which then holds both; the last one of a member cannot.
        commit = self._context.commit if record.is_last_of_a_member else self._best_effort.commit
        written: list[Written] = commit(partial(self._write, record=record)) or []
        self._timeouts.heard()  # during the commit no message was read
        for each in written:
            each.member.mark_recorded(each.progress)
        ended = [each for each in written if each.left in (Left.TRAINED, Left.DIVERGED)]
        trained = [each.member.summary.train_seconds for each in ended]
        throughput, finished = self._heartbeat.throughput, record.segment.finished
        throughput.finished(len(ended))
        throughput.count_all(fleet.TRAINING.counts(trained))
        throughput.count(FleetCounter.FENCED_WRITES, sum(each.left is Left.FENCED for each in written))
        for reason in Left:
            left = [each.member for each in written if each.left is reason]
            self._departures.left(left, reason, runner_trains=not finished)

    def _write(self, connection: Connection, record: Record) -> list[Written]:
        if record.segment.finished:
            keep_logs(connection, self._pack, record.members, self._runner.output)
        return write_record(connection, self._pack, record, actor=self._actor)

    def _tend(self) -> None:
        """Between two messages: a lost claim, cancels, time limits, a stop, a runner that is stuck."""
        if self._heartbeat.claim_is_lost() and self._pack.members:
            self._departures.claim_lost()
        self._departures.some(self._cancelled(), lambda connection, member: lifecycle.cancel_by_worker(
            connection, member.job.held, actor=self._actor
        ), "cancelled")  # fmt: skip
        self._departures.some(self._late(), lambda connection, member: failure_policy.timed_out(
            connection, self._pack, member, actor=self._actor
        ), "timed out")  # fmt: skip
        self._timeouts.look()
        if self._timeouts.age_seconds() > NOTE_SECONDS:
            self._runner.note_memory()
        if self._context.stopping() and self._timeouts.stop_requested():
            self._runner.send(StopMessage())
            self._stop_sent = True
        if self._timeouts.stop_is_over():
            raise WorkerStops("the worker stops, and its runner did not answer")
        if cause := self._timeouts.kill_reason():
            raise RunnerDied(cause)

    def _cancelled(self) -> list[Member]:
        cancelled = self._heartbeat.cancelled()
        return [member for member in self._pack.in_order() if member.job.id in cancelled] if cancelled else []

    def _late(self) -> list[Member]:
        age = self._timeouts.age_seconds()
        return [member for member in self._pack.in_order() if age > member.job.timeout_seconds]
