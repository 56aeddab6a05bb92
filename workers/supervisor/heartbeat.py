"""The worker's heartbeat, on a thread and a connection of its own: it renews leases and watches for cancels."""

import threading
import time
from collections.abc import Callable
from uuid import UUID

import structlog

from gradyard.jobs.errors import DatabaseUnavailable, SlotTaken
from gradyard.jobs.settings import Settings
from gradyard.store import fleet, queries
from gradyard.store.database import Database
from gradyard.store.fleet import HeartbeatReport, WorkerInfo
from workers.pool.gpus.choose import inventory_of
from workers.pool.gpus.inventory import DeviceLost, Health, Inventory
from workers.supervisor.processor_load import ProcessorLoad
from workers.supervisor.throughput import Throughput

log = structlog.get_logger()

FIRST_BEATS_SECONDS = 0.5  # a new pack reports its progress more often: a person may be watching


class Heartbeat:
    """Reports every `heartbeat_seconds` that the worker lives, and how far its claim is.

    `enter` registers the worker. It is called once a second until it returns (it raises SlotTaken while another process
    has the slot or its GPU); then `entered` is set. Where the worker slept for longer than a lease, another process may
    have taken its GPU or its name: `entered` is cleared, and `enter` is called again. `watch_claim` and `unwatch_claim`
    bracket a pack. load: of a slot without a GPU.
    """

    def __init__(
        self, settings: Settings, worker: WorkerInfo, enter: Callable[[], None], load: ProcessorLoad | None = None
    ) -> None:
        self._settings, self._worker, self._load = settings, worker, load
        self._enter_once = enter
        self.entered = threading.Event()
        self.throughput = Throughput()
        self._database = Database(settings.database, lock_timeout_seconds=1.0, pool_size=1)
        self._lock = threading.Lock()
        self._claim: UUID | None = None
        self._claimed_at = self._beaten_at = 0.0
        self._steps_done = 0
        self._cancelled: set[UUID] = set()
        self._lost = False
        self._stopped = threading.Event()
        self._busy = threading.Event()
        self._inventory: Inventory = inventory_of(settings)
        self._device_lost: str | None = None
        self._waits_because = ""
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Stop beating and end the worker's lease."""
        self._stopped.set()
        self._busy.set()
        self._thread.join(timeout=2.0)
        try:
            with self._database.begin() as connection:
                for _ in range(2):  # a report that may not have arrived, and what happened since
                    fleet.count_report(connection, self._worker, *self.throughput.report())
                    self.throughput.reported()
                fleet.retire(connection, self._worker.id)
        except DatabaseUnavailable:
            pass  # the lease expires by itself
        self._database.close()

    def watch_claim(self, claim: UUID, steps_done: int) -> None:
        """Renew this claim with each heartbeat, and look for cancels of its members."""
        with self._lock:
            self._claim, self._steps_done, self._cancelled, self._lost = claim, steps_done, set(), False
            self._claimed_at = self._beaten_at = time.monotonic()  # the claim itself began with a full lease
        self._busy.set()

    def unwatch_claim(self) -> None:
        """The claim is given up."""
        with self._lock:
            self._claim = None
        self._busy.clear()

    def progressed(self, steps_done: int) -> None:
        """The pack of the claim has reached this step."""
        self._steps_done = steps_done

    def cancelled(self) -> set[UUID]:
        """The members of the present claim whose cancel was requested, as of the last look."""
        with self._lock:
            return set(self._cancelled)

    def claim_is_lost(self) -> bool:
        """Whether the last heartbeat found that the present claim had expired, and its jobs are no longer its own."""
        with self._lock:
            return self._lost

    def _run(self) -> None:
        while not self._stopped.is_set():
            if not self.entered.is_set():
                self._try(self._enter)
                self._stopped.wait(0.0 if self.entered.is_set() else 1.0)
                continue
            if time.monotonic() - self._beaten_at >= self._pause():
                self._beaten_at = time.monotonic()
                self._try(self._beat)
            if self._claim is not None:
                self._stopped.wait(self._settings.cancel_poll_seconds)
                self._try(self._look_for_cancels)
            else:
                self._busy.wait(max(0.05, self._pause() - (time.monotonic() - self._beaten_at)))

    def _enter(self) -> None:
        try:
            self._enter_once()
        except SlotTaken as taken:
            if self._waits_because != str(taken):
                log.warning("waiting for the slot", reason=str(taken))
            self._waits_because = str(taken)
        else:
            self._beaten_at, self._waits_because = time.monotonic(), ""
            self.entered.set()

    def _pause(self) -> float:
        """Seconds between two beats: short in the first seconds of a pack, then the setting."""
        if self._claim is None:
            return self._settings.heartbeat_seconds
        age = time.monotonic() - self._claimed_at
        return min(self._settings.heartbeat_seconds, max(FIRST_BEATS_SECONDS, age / 10))

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except DatabaseUnavailable as error:
            log.warning("heartbeat missed", error=str(error))
        except Exception:
            log.exception("heartbeat failed")  # no error may end this thread: the lease would expire

    def _beat(self) -> None:
        with self._lock:
            claim, steps_done = self._claim, self._steps_done
        report = self._report()
        try:
            with self._database.begin() as connection:
                renewed = fleet.heartbeat(
                    connection, self._worker, self._settings.lease_seconds, claim, steps_done, report
                )
                if self._device_lost:
                    fleet.drain_device(connection, self._worker, self._device_lost)
        except SlotTaken as taken:
            log.warning("the lease expired and the slot was taken", reason=str(taken))
            self.entered.clear()
            renewed = False
        else:
            self.throughput.reported()
        with self._lock:
            self._lost = self._claim is not None and self._claim == claim and not renewed

    def _report(self) -> HeartbeatReport:
        health, uuid = None, self._settings.device_uuid
        try:
            health = self._inventory.health(uuid) if uuid else self._load.health() if self._load else None
            self._device_lost = None if health is not None else self._device_lost
        except DeviceLost as error:
            self._device_lost = str(error)
        health = health or Health()
        number, happened = self.throughput.report()
        return HeartbeatReport(
            self.throughput.steps_per_second(), self.throughput.jobs_per_second(), health.utilization_percent,
            health.temperature_celsius, health.memory_used_mib, happened, number,
        )  # fmt: skip

    def _look_for_cancels(self) -> None:
        claim = self._claim
        if claim is None:
            return
        with self._database.read() as connection:
            marked = queries.cancelled_members(connection, claim)
        with self._lock:
            if self._claim == claim:
                self._cancelled.update(marked)
