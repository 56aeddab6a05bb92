"""Workers, the holds on them, their counters, and what each of them may claim."""

from gradyard.store.fleet.auto import DeviceChoices
from gradyard.store.fleet.claimable import something_to_claim
from gradyard.store.fleet.counters import PACK_SIZES, count, count_report, pack_counter
from gradyard.store.fleet.eligibility import able_workers
from gradyard.store.fleet.histograms import REQUESTS, TRAINING, WAITING, Histogram
from gradyard.store.fleet.holds import drain_device, hold, is_on_hold, lift
from gradyard.store.fleet.idle import claimable_by_idle_slot, idle_slots
from gradyard.store.fleet.leases import earlier_processes, heartbeat, namesake, register, retire
from gradyard.store.fleet.workers import Capabilities, HeartbeatReport, WorkerInfo

__all__ = [
    "PACK_SIZES", "REQUESTS", "TRAINING", "WAITING", "Capabilities", "DeviceChoices", "HeartbeatReport", "Histogram",
    "WorkerInfo", "able_workers", "claimable_by_idle_slot", "count", "count_report", "drain_device",
    "earlier_processes", "heartbeat", "hold", "idle_slots", "is_on_hold", "lift", "namesake",
    "pack_counter", "register", "retire", "something_to_claim",
]  # fmt: skip
