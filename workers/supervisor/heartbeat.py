"""The worker's heartbeat, on a thread and a connection of its own: it renews leases and watches for cancels."""

import threading
import time
from collections.abc import Callable, Mapping
from uuid import UUID

import structlog

from gradyard.jobs.errors import DatabaseUnavailable, SlotTaken
from gradyard.jobs.settings import Settings
from gradyard.store import fleet, queries
from gradyard.store.database import Database
from gradyard.store.fleet import HeartbeatReport, WorkerInfo
from workers.pool.gpus.choose import inventory_of
from workers.pool.gpus.inventory import DeviceLost, Health, Inventory
from workers.supervisor.throughput import Throughput

log = structlog.get_logger()

FIRST_BEATS_SECONDS = 0.5  # a young pack tells its progress more often: someone may be watching


class Heartbeat:
    """Says every `heartbeat_seconds` that the worker lives, and of its claim how far it is.

    `enter` is called until it returns, as soon as the database answers and nobody else has the slot or its GPU (it
    raises SlotTaken where somebody has); then `entered` is set. Who slept for longer than a lease may find its GPU
    taken: `entered` is cleared, and it waits again. `watch_claim(claim)` and `unwatch_claim()` bracket a
    pack; `cancelled()` answers which members were marked since.
    """

    def __init__(self, settings: Settings, worker: WorkerInfo, enter: Callable[[], None]) -> None:
        self._settings, self._worker = settings, worker
        self._enter_once = enter
        self.entered = threading.Event()
        self._database = Database(settings.database, lock_timeout_seconds=1.0, pool_size=1)
        self._lock = threading.Lock()
        self._claim: UUID | None = None
        self._held_since = self._beaten = 0.0
        self._cancelled: set[UUID] = set()
        self._lost = False
        self._over = threading.Event()
        self._busy = threading.Event()
        self.steps_done = 0
        self.throughput = Throughput()
        self._inventory: Inventory = inventory_of(settings)
        self._device_lost: str | None = None
        self._kept_out = ""
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Stop beating and end the worker's lease."""
        self._over.set()
        self._busy.set()
        self._thread.join(timeout=2.0)
        try:
            with self._database.begin() as connection:
                fleet.retire(connection, self._worker.id)
        except DatabaseUnavailable:
            pass  # the lease ends by itself
        self._database.close()

    def watch_claim(self, claim: UUID, steps_done: int) -> None:
        """From now on this claim is renewed too."""
        with self._lock:
            self._claim, self.steps_done, self._cancelled, self._lost = claim, steps_done, set(), False
            self._held_since = self._beaten = time.monotonic()  # the claim itself was as good as a beat
        self._busy.set()

    def unwatch_claim(self) -> None:
        """The claim is over."""
        with self._lock:
            self._claim = None
        self._busy.clear()

    def cancelled(self) -> set[UUID]:
        """The members of the present claim that someone asked to cancel, as last seen."""
        with self._lock:
            return set(self._cancelled)

    def claim_is_lost(self) -> bool:
        """Whether the last heartbeat found the present claim gone: its lease was over, and its jobs are others'."""
        with self._lock:
            return self._lost

    def _run(self) -> None:
        while not self._over.is_set():
            if not self.entered.is_set():
                self._try(self._enter)
                self._over.wait(0.0 if self.entered.is_set() else 1.0)
                continue
            if time.monotonic() - self._beaten >= self._pause():
                self._beaten = time.monotonic()
                self._try(self._beat)
            if self._claim is not None:
                self._over.wait(self._settings.cancel_poll_seconds)
                self._try(self._look_for_cancels)
            else:
                self._busy.wait(max(0.05, self._pause() - (time.monotonic() - self._beaten)))

    def _enter(self) -> None:
        try:
            self._enter_once()
        except SlotTaken as taken:
            if self._kept_out != str(taken):
                log.warning("waiting", why=str(taken))
            self._kept_out = str(taken)
        else:
            self._beaten, self._kept_out = time.monotonic(), ""
            self.entered.set()

    def _pause(self) -> float:
        """Seconds between two beats: short in the first seconds of a pack, then the setting."""
        if self._claim is None:
            return self._settings.heartbeat_seconds
        age = time.monotonic() - self._held_since
        return min(self._settings.heartbeat_seconds, max(FIRST_BEATS_SECONDS, age / 10))

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except DatabaseUnavailable as error:
            log.warning("heartbeat missed", error=str(error))
        except Exception:
            # This thread is the worker's pulse: whatever goes wrong once must not end it.
            log.exception("heartbeat failed")

    def _beat(self) -> None:
        with self._lock:
            claim, steps_done = self._claim, self.steps_done
        counts = self.throughput.take_counts()
        report = self._report(counts)
        try:
            with self._database.begin() as connection:
                held = fleet.heartbeat(
                    connection, self._worker, self._settings.lease_seconds, claim, steps_done, report
                )
                if self._device_lost:
                    fleet.drain_device(connection, self._worker, self._device_lost)
        except SlotTaken as taken:
            log.warning("its lease was over, and now it waits", why=str(taken))
            self.throughput.give_back(counts)
            self.entered.clear()
            held = False
        except BaseException:
            self.throughput.give_back(counts)
            raise
        with self._lock:
            self._lost = self._claim is not None and self._claim == claim and not held

    def _report(self, counts: Mapping[str, int]) -> HeartbeatReport:
        health, uuid = None, self._settings.device_uuid
        try:
            health = self._inventory.health(uuid) if uuid else None
            self._device_lost = None if health is not None else self._device_lost
        except DeviceLost as error:
            self._device_lost = str(error)
        health = health or Health()
        return HeartbeatReport(
            self.throughput.steps_per_second(), self.throughput.jobs_per_second(), health.utilization_percent,
            health.temperature_celsius, health.memory_used_mib, counts,
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
