"""The table of faults, and the threads that inflict them: one thread for each lane, so that faults overlap."""

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults import (
    broker_faults,
    file_faults,
    host_faults,
    job_faults,
    namesake_faults,
    service_faults,
    transaction_faults,
    worker_faults,
    write_faults,
)
from tests.faults.arena import Arena


@dataclass(frozen=True)
class Fault:
    """One kind of fault: its lane, and the function that inflicts it (None: it lasts for the whole run)."""

    name: str
    lane: str
    inflict: Callable[[Arena], None] | None
    only_on: str | None = None  # a database


FAULTS = {fault.name: fault for fault in (
    Fault("F1", "kill", worker_faults.kill_runner),
    Fault("F2", "kill", worker_faults.kill_worker),
    Fault("F3", "service", service_faults.kill_api),
    Fault("F4", "broker", broker_faults.kill_redis),
    Fault("F5", "broker", broker_faults.flush_redis),
    Fault("F6", "broker", broker_faults.freeze_redis),
    Fault("F7", "service", service_faults.kill_database, only_on="postgresql"),
    Fault("F8", "sleep", worker_faults.freeze_worker),
    Fault("F9", "sleep", service_faults.cut_off_host, only_on="postgresql"),
    Fault("F10", "none", None, only_on="postgresql"),
    Fault("F11", "broker", broker_faults.forge_bells),
    Fault("F12", "long", job_faults.long_job),
    Fault("F13", "service", service_faults.fill_disk),
    Fault("F14", "jobs", job_faults.poisoned_pack),
    Fault("F15", "kill", worker_faults.stop_worker),
    Fault("F16", "cancel", job_faults.cancel),
    Fault("F17", "records", service_faults.spoil_checkpoint),
    Fault("F18", "janitors", service_faults.many_janitors),
    Fault("F20", "records", service_faults.lose_commits),
    Fault("F21", "transactions", transaction_faults.stop_in_transaction),
    Fault("F22", "writes", write_faults.shut_writes_out),
    Fault("F24", "host", host_faults.unsettle_host),
    Fault("F25", "files", file_faults.take_files_away),
    Fault("F23", "machines", namesake_faults.second_machine_of_the_name),
)}  # fmt: skip

# The shortest and longest pause between two faults of a lane, in seconds.
PAUSES = {"kill": (1.0, 4.0), "service": (8.0, 15.0), "broker": (3.0, 8.0), "sleep": (5.0, 12.0),
          "transactions": (10.0, 20.0), "writes": (15.0, 30.0), "long": (20.0, 40.0), "records": (3.0, 8.0),
          "jobs": (30.0, 60.0), "cancel": (4.0, 10.0), "janitors": (30.0, 60.0), "machines": (20.0, 60.0),
          "files": (15.0, 40.0), "host": (10.0, 30.0)}  # fmt: skip


@dataclass
class Lanes:
    """The threads that inflict faults. Half of the time a thread takes the fault that it has inflicted least.

    Kinds that rest are inflicted no more: those that did their harm, in a short run or once all overlapped for long
    enough, since a kill costs the start of a process, for which all others wait.
    """

    arena: Arena
    faults: list[Fault]
    haste: float = 1.0  # factor of the pauses
    failures: list[str] = field(default_factory=list)
    _resting: set[str] = field(default_factory=set)

    def start(self) -> None:
        """Start one thread for each lane."""
        by_lane: dict[str, list[Fault]] = {}
        for fault in self.faults:
            if fault.inflict is not None:
                by_lane.setdefault(fault.lane, []).append(fault)
        self._threads = [threading.Thread(target=self._drive, args=item) for item in by_lane.items()]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Inflict no more faults. Returns once every frozen or killed part is back."""
        self.arena.finished.set()
        for thread in self._threads:
            thread.join()

    def rest(self, names: set[str]) -> None:
        """Let these kinds of faults rest, and no others."""
        self._resting = names

    def counts(self) -> dict[str, int]:
        """How many faults of each kind were inflicted so far."""
        noted = [done.fault for done in self.arena.done]
        return {fault.name: noted.count(fault.name) for fault in self.faults if fault.inflict is not None}

    def _drive(self, lane: str, faults: list[Fault]) -> None:
        least, most = PAUSES[lane]
        while not self.arena.finished.is_set():
            if awake := [fault for fault in faults if fault.name not in self._resting]:
                self._inflict_one(awake)
                self.arena.pause(least * self.haste, most * self.haste)
            else:
                self.arena.finished.wait(0.5)

    def _inflict_one(self, faults: list[Fault]) -> None:
        counts = self.counts()
        # half of the time at random: a fault that finds nothing to hit must not keep back the others
        fair = self.arena.random.random() < 0.5
        fault = min(faults, key=lambda each: (fair and counts[each.name], self.arena.random.random()))
        try:
            assert fault.inflict is not None
            fault.inflict(self.arena)
        except Exception:
            self.failures.append(f"{fault.name} could not be inflicted:\n{traceback.format_exc()}")
