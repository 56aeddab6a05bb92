"""Which faults did harm ("bit"), and what they cost: read from events and requests, not from what inflicted them."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import Row

from gradyard.jobs.events import EventKind
from gradyard.jobs.states import Reason
from tests.faults.arena import Done
from tests.faults.broker_faults import HEARD
from tests.faults.client import RequestLog
from tests.faults.rows import Rows
from tests.faults.watch import Watch
from tests.faults.write_faults import SAID_SO

LATE_SECONDS = 2.0  # a fault may still have effects for so long after its end
STOPPED_WRITER = "stopped inside a write to SQLite"  # so that nothing else is written, whichever fault stopped it
DATABASE_AWAY = ("F7", "F9", "F13", "F21", "F22", STOPPED_WRITER)
AWAY = ("F4", "F6", *DATABASE_AWAY)  # Redis or the database does not answer, so no worker can recover in time
SOON_SECONDS = 5.0
SETTLED_SECONDS = 10.0  # after so long a slot that was hit has a spare runner again
BLOWS = ("F1", "F2", "F8", "F9", "F15", "F16", "F17", "F20", "F21")
HITS = ("F1", "F2", "F8", "F15", "F17", "F18", "F20", *DATABASE_AWAY)  # these may end the attempt of any job


def is_of(done: Done, faults: tuple[str, ...]) -> bool:
    """Whether a fault is of these. faults: names, or what such a fault did."""
    return done.fault in faults or done.what in faults


@dataclass(frozen=True)
class Journal:
    """What a run leaves behind: inflicted faults, requests, rows, and what the watch saw."""

    done: list[Done]
    log: RequestLog
    rows: Rows
    watch: Watch

    def bites(self) -> Counter[str]:
        """How many faults of each kind did harm that the service had to survive."""
        bites: Counter[str] = Counter()
        for done in self.done:
            bites[done.fault] += self._bit(done)
        return bites

    def cut(self, done: Done) -> list[Row[Any]]:
        """The events that ended the attempts hit by this fault, except those that succeeded."""
        hit = {(str(job), attempt) for job, attempt in done.members}
        return [
            event for job, _ in done.members for event in self.rows.events.get(str(job), [])
            if (str(event.job_id), event.attempt) in hit and event.from_state == "running"
            and event.to_state != "succeeded" and event.at >= done.at - 1
        ]  # fmt: skip

    def meets_another(self, done: Done, faults: tuple[str, ...] = AWAY) -> bool:
        """Whether a fault of these kinds was active while the service recovered from this one.

        faults: names, or what such a fault did.
        """
        begin, end = done.at - LATE_SECONDS, done.at + SOON_SECONDS
        return any(each.at < end and each.until > begin for each in self.done if is_of(each, faults))

    def hit_twice(self, done: Done) -> bool:
        """Whether another fault hit this slot, or the whole pool on its host, shortly before or during the recovery."""
        host = done.worker.partition("@")[2]
        begin, end = done.at - SETTLED_SECONDS, done.at + SOON_SECONDS
        others = (each for each in self.done if each is not done and each.fault in BLOWS and each.worker)
        return self._lost_a_runner(done.worker, begin, done.at) or any(
            each.at < end and each.until > begin and each.worker.partition("@")[2] == host
            and (each.worker == done.worker or "pool" in (each.what, done.what)) for each in others
        )  # fmt: skip

    def _lost_a_runner(self, worker: str, begin: float, end: float) -> bool:
        """Whether a runner of that slot died in that time, for example because of a poisoned job."""
        return any(begin < event.at < end - 0.5 and self._runner_died(event) for event in self.of_slot(worker))

    def _runner_died(self, event: Row[Any]) -> bool:
        """Whether a dead runner caused this event: a hand back, or at the third time alone the failure as poison."""
        if event.kind == EventKind.FAILED:
            return bool(self.rows.jobs[str(event.job_id)].reason == Reason.POISON)
        return bool(event.kind == EventKind.RUNNER_DIED)

    def of_slot(self, worker: str) -> list[Row[Any]]:
        """All events that this slot caused, in the order of time."""
        mine = (event for event in self.rows.all_events() if f" {worker} " in event.actor)
        return sorted(mine, key=lambda event: event.at)

    def recovery_seconds(self, fault: str) -> dict[str, list[float]]:
        """The seconds from each fault that cut an attempt until its slot claims again, and until it trains again.

        Left out: faults while Redis or the database did not answer, and those of a slot that was hit twice. The times
        are too long by up to 0.7 s: a worker reports its progress every 0.5 s, and the watch looks every 0.2 s.
        """
        waits: dict[str, list[float]] = defaultdict(list)
        for done, what, seconds in self.recoveries(fault):
            waits[f"{what} again after {fault} ({done.what})"].append(seconds)
        return waits

    def recoveries(self, fault: str) -> Iterator[tuple[Done, str, float]]:
        """Yield for each fault that cut an attempt: the fault, "claims" or "trains", and the seconds until then."""
        away = DATABASE_AWAY if fault == "F1" else AWAY  # after F1 the worker lives on, and needs no bell
        mine = (done for done in self.done if done.fault == fault and self.cut(done))
        for done in (each for each in mine if not self.meets_another(each, away) and not self.hit_twice(each)):
            for what, signs in (("claims", self._claims), ("trains", self._signs_of_training)):
                back = min((at for at in signs(done.worker) if at > done.at), default=None)
                if back is not None and not self._dies_again(done, back):
                    yield done, what, back - done.at

    def _dies_again(self, done: Done, back: float) -> bool:
        """Whether the slot lost another runner before it recovered, since it claimed a poisoned job next."""
        own = {event.job_id for event in self.cut(done)}
        return any(done.at < event.at < back and event.job_id not in own and self._runner_died(event)
                   for event in self.of_slot(done.worker))  # fmt: skip

    def _claims(self, worker: str) -> list[float]:
        begun = (event for event in self.rows.all_events() if event.to_state == "running")
        return [event.at for event in begun if f" {worker} " in event.actor]

    def _signs_of_training(self, worker: str) -> list[float]:
        """The times at which an attempt of this slot was first seen past its start step, or succeeded."""
        seen = [
            a.trains_since for a in self.watch.seen.copy().values() if a.worker == worker and a.trains_since is not None
        ]
        ends = (e for e in self.rows.all_events() if e.to_state == "succeeded" and f" {worker} " in e.actor)
        return seen + [event.at - self._trained_seconds(event) for event in ends]

    def _trained_seconds(self, end: Row[Any]) -> float:
        """For how long the attempt that ended so had trained; 0 where others of its job had recorded something."""
        job, events = self.rows.jobs.get(str(end.job_id)), self.rows.events.get(str(end.job_id), [])
        alone = not any(each.steps_done for each in events if each.attempt < end.attempt)
        return float(job.train_seconds) if job is not None and alone else 0.0

    def _bit(self, done: Done) -> int:
        if done.fault in ("F1", "F2", "F8", "F15"):
            return bool(self.cut(done))
        if done.fault == "F9":
            return bool(self.cut(done)) or ("redis" in done.what and bool(done.members))  # it trained without Redis
        if done.fault == "F17":
            return any(event.kind == EventKind.CHECKPOINT_UNUSABLE for event in self.events_since(done))
        if done.fault == "F20":
            # an attempt that goes on as if nothing were lost was harmed too
            return any(e.kind == EventKind.RECORDS_LOST for e in self.events_since(done)) or not self.cut(done)
        if done.fault == "F3":
            return any(asked.status is None for asked in self._asked(done))
        if done.fault == "F21":
            return bool(self.cut(done)) or any(asked.status == 503 for asked in self._asked(done))
        if done.fault == "F22":
            return done.what.endswith(SAID_SO)
        if done.fault in ("F23", "F24"):
            return bool(done.members)  # it came while they trained
        if done.fault == "F25":
            events = (event for job in done.jobs for event in self.rows.events.get(job, []))
            return any(event.kind in (EventKind.FILE_UNREADABLE, EventKind.FAILED) for event in events)
        if done.fault in ("F7", "F13"):
            return any(asked.status == 503 for asked in self._asked(done))
        if done.fault == "F18":
            events = (event for event in self.rows.all_events() if done.at <= event.at <= done.until)
            return any(event.kind == EventKind.LEASE_LOST for event in events)
        if done.fault == "F14":
            return sum(self._runner_died(event) for event in self.rows.events.get(done.jobs[0], []))
        if done.fault == "F16":
            return any(asked.job_id in done.jobs and asked.status == 200 for asked in self._asked(done))
        if done.fault == "F12":
            return [event.to_state for event in self.rows.events[done.jobs[0]]].count("running") == 1
        if done.fault == "F6":
            return any(asked.status == 202 and done.at < asked.at < done.until for asked in self.log.asked)
        if done.fault == "F11":
            return done.what.endswith(HEARD)
        return self._a_job_waited(done)

    def events_since(self, done: Done) -> list[Row[Any]]:
        """All events of the jobs that a fault hit, from the fault on."""
        return [e for job, _ in done.members for e in self.rows.events.get(str(job), []) if e.at >= done.at - 1]

    def _asked(self, done: Done) -> list[Any]:
        begin, end = done.at - LATE_SECONDS, done.until + LATE_SECONDS
        return [asked for asked in self.log.asked if begin <= asked.at <= end]

    def _a_job_waited(self, done: Done) -> bool:
        """Whether a job waited in the queue when Redis lost its bell, and was claimed later."""
        return any(
            before.to_state == "queued" and before.at < done.at < after.at and after.to_state == "running"
            for events in self.rows.events.values() for before, after in pairwise(events)
        )  # fmt: skip
