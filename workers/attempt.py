"""One attempt at a pack, from its first frame to its last. Every way out leaves no member of it running."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from jobs import lifecycle
from workers import judgement
from workers.handover import hand_over
from workers.pack import Member, Pack
from workers.records import Record, Written, record_of, write_record
from workers.resume import states_to_resume
from workers.runner_process import DeviceBroken, RunnerDied
from workers.station import Station
from workers.stretch import Stretch
from workers.unsure import Unsure
from workers.wire import Frame

log = structlog.get_logger()

DROP_SECONDS = 0.4  # for a runner to let go of its last member, before it is killed
STOP_SECONDS = 6.0  # for a runner to answer a stop with its state, before it is killed
SPARE_SECONDS = 1.0  # a pack that trains for so long is worth a runner that stands ready for it
ASLEEP_SECONDS = 5.0  # between two looks: this process was frozen, and perhaps its runner with it
PREPARE_SECONDS = 300.0  # for a compiler
STUCK_SECONDS, STUCK_SEGMENTS = 30.0, 20.0  # no segment for so long, or so many times its last: stuck


class Attempt:
    """Hands the pack to the runner, takes its segments, and tends to cancels, time limits and stops in between."""

    def __init__(self, station: Station, pack: Pack) -> None:
        self._station = station
        self._pack, self._runner, self._presence = pack, station.runner, station.presence
        self._settings = station.settings
        self._actor, self._commit, self._stopping = station.actor, station.commit, station.stopping
        self._commit_soon = Unsure(station.commit_once).commit_soon
        self._began = self._heard = time.monotonic()
        self._last_segment_seconds = 0.0
        self._asked_to_stop_at: float | None = None
        self._emptied_at: float | None = None
        self._tended_at = self._began
        self._preparing = False
        self._begun = False  # the runner said that it has the pack

    def run(self) -> None:
        """Train until every member has moved on."""
        self._runner.output.forget()
        try:
            states = states_to_resume(self._pack, self._station, actor=self._actor)
            if states is None:
                return
            seconds = self._settings.segment_seconds, self._settings.record_seconds
            hand_over(self._runner, self._pack.train_frame(states, *seconds), self._stopping)
            self._begun, self._heard = True, time.monotonic()
            while not self._serve(self._runner.receive(0.05)):
                self._tend()
        except DeviceBroken as error:
            why, worker = str(error), self._station.worker
            self._for_all(lambda connection: judgement.device_broken(connection, self._pack, why, worker))
        except RunnerDied as error:
            self._presence.pace.count("runner_deaths")
            self._runner.end()
            blame, words = judgement.pack_crashed if self._begun else judgement.runner_missing, str(error)
            self._for_all(lambda connection: blame(connection, self._pack, words, actor=self._actor))

    def _serve(self, frame: Frame | None) -> bool:
        """Take what the runner said; whether the pack is over."""
        if frame is None:
            return False
        self._heard = time.monotonic()
        if frame.kind in ("idle", "preparing"):
            self._preparing = frame.kind == "preparing"
            return frame.kind == "idle"
        if frame.kind == "otherwise":
            self._train_otherwise(frame.fields["traceback"])
            return False
        if frame.kind == "failed":
            fields = frame.fields
            self._runner.output.add(fields["traceback"])
            if fields["device_error"]:  # the job's fault, or the device's: a fresh process tells
                self._begun = False  # whatever happens to that one is no pack's doing
                self._runner.end()
                self._runner.ensure(self._stopping)
            self._for_all(lambda connection: judgement.pack_failed(connection, self._pack, fields, actor=self._actor))
            return True
        return self._segment(Stretch(frame))

    def _train_otherwise(self, why: str) -> None:
        """The compiler of this machine does not work: the stage is trained as it is written."""
        log.warning("the compiler does not work; trained eagerly", error=why)
        self._pack.engine = "eager"
        fences = [(member.job.id, member.job.attempt) for member in self._pack.in_order()]
        self._commit(lambda connection: lifecycle.train_eagerly(connection, fences))

    def _segment(self, stretch: Stretch) -> bool:
        self._last_segment_seconds, self._preparing = stretch.seconds, False
        self._pack.take(stretch)
        self._presence.pace.trained(stretch.losses.size)
        self._presence.steps_done = self._pack.step
        if worth := self._pack.worth_recording(stretch):
            write = partial(self._write, record=record_of(self._pack, worth, stretch))
            # A record on the way can wait for the next one, which then holds both; the last words of a member cannot.
            last_words = stretch.over or any(member.diverged_at is not None for member in worth)
            written: list[Written] = (self._commit if last_words else self._commit_soon)(write) or []
            self._heard = time.monotonic()  # while we waited for the database, nobody listened
            for each in written:
                self._pack.settle(each.member, each.progress)
            self._presence.pace.count("fenced_writes", sum(each.fenced for each in written))
            self._presence.pace.ended(sum(each.gone and not each.fenced for each in written) if stretch.over else 0)
            self._leave([each.member for each in written if each.gone], tell=not stretch.over)
        return stretch.over

    def _write(self, connection: Connection, record: Record) -> list[Written]:
        if record.stretch.over:
            self._keep_logs(connection, record.members)
        written = write_record(connection, self._pack, record, actor=self._actor)
        if len(written) == len(self._pack.members) and all(each.gone for each in written):
            # In the same transaction: nobody must wait for the lock a second time.
            lifecycle.release(connection, self._pack.claim.id, actor=self._actor)
        return written

    def _tend(self) -> None:
        """Between two frames: a lost claim, cancels, time limits, a stop, a runner that says nothing."""
        if self._presence.claim_is_lost() and self._pack.members:
            self._forget_all()
        self._let_go(self._marked(), lambda connection, member: lifecycle.cancel_by_worker(
            connection, member.job.id, member.job.attempt, actor=self._actor
        ))  # fmt: skip
        self._let_go(self._late(), lambda connection, member: judgement.time_is_over(
            connection, self._pack, member, actor=self._actor
        ))  # fmt: skip
        now = time.monotonic()
        if now - self._tended_at > ASLEEP_SECONDS:
            self._heard = now  # this process slept itself
        self._tended_at = now
        if now - self._began > SPARE_SECONDS:
            self._runner.prepare_spare()
        if self._stopping() and self._asked_to_stop_at is None:
            self._asked_to_stop_at = now
            self._runner.send(Frame("stop"))
        patience = PREPARE_SECONDS if self._preparing else STUCK_SECONDS
        silence = max(patience, STUCK_SEGMENTS * self._last_segment_seconds)
        self._kill_after(self._heard, silence, f"the runner was silent for {silence:.0f} s")
        self._kill_after(self._asked_to_stop_at, STOP_SECONDS, "the worker stops, and its runner did not answer")
        self._kill_after(self._emptied_at, DROP_SECONDS, "nobody is left in its pack")

    def _kill_after(self, since: float | None, seconds: float, why: str) -> None:
        if since is not None and time.monotonic() - since > seconds:
            self._runner.end()
            raise RunnerDied(why)

    def _marked(self) -> list[Member]:
        cancelled = self._presence.cancelled()
        return [member for member in self._pack.in_order() if member.job.id in cancelled]

    def _late(self) -> list[Member]:
        age = time.monotonic() - self._began
        return [member for member in self._pack.in_order() if age > member.job.timeout_seconds]

    def _let_go(self, members: list[Member], move: Callable[[Connection, Member], Any]) -> None:
        """Move these rows now, discard what still comes for them, and tell the runner to drop them."""

        def write(connection: Connection) -> list[Any]:
            self._keep_logs(connection, members)
            return [move(connection, member) for member in members]

        if members and self._commit_soon(write):
            self._leave(members)

    def _forget_all(self) -> None:
        """The claim was given to others while this worker slept or was cut off: nothing it did since counts."""
        members = list(self._pack.members.values())
        self._presence.pace.count("fenced_writes", len(members))
        for member in members:
            log.warning("fenced", job=str(member.job.id), attempt=member.job.attempt, what="claim lost")
        self._leave(members)

    def _leave(self, members: list[Member], *, tell: bool = True) -> None:
        """These rows have moved on; a runner that is still at it is told, or trains them to their last step."""
        for member in members:
            del self._pack.members[member.index]
        if not self._pack.members and self._emptied_at is None:
            self._emptied_at = time.monotonic()
        if members and tell:
            self._runner.send(Frame("drop", {"members": [member.index for member in members]}))

    def _for_all(self, write: Callable[[Connection], Any]) -> None:
        def write_all(connection: Connection) -> None:
            self._keep_logs(connection, self._pack.in_order())
            write(connection)

        self._commit(write_all)
        self._pack.members.clear()

    def _keep_logs(self, connection: Connection, members: list[Member]) -> None:
        """What the runner said belongs to every member: nobody knows which of them it was about."""
        text, truncated = self._runner.output.said()
        if not text:
            return
        if self._pack.width > 1:
            text = f"(of a pack of {self._pack.width}, which share their output)\n{text}"
        for member in members:
            lifecycle.keep_log(connection, member.job.id, member.job.attempt, text, truncated=truncated)
