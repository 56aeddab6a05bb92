"""Workers, the holds on them, their counters, and what each of them may claim."""

from gradyard.store.fleet.claimable import something_to_claim
from gradyard.store.fleet.counters import PACK_SIZES, count, size_counter
from gradyard.store.fleet.holds import drain_device, hold, is_held_back, lift
from gradyard.store.fleet.workers import (
    Abilities,
    Pulse,
    WorkerFacts,
    earlier_processes,
    forget_workers,
    heartbeat,
    register,
    retire,
)

__all__ = [
    "PACK_SIZES", "Abilities", "Pulse", "WorkerFacts", "count", "drain_device", "earlier_processes", "forget_workers",
    "heartbeat", "hold", "is_held_back", "lift", "register", "retire", "size_counter", "something_to_claim",
]  # fmt: skip
