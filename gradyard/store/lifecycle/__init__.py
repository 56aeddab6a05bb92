"""Every change of a job's state, and nothing else. Each function works inside the caller's transaction.

Every write of a running job is fenced: it names the attempt, and where the row has moved on it changes nothing.
"""

from gradyard.store.lifecycle.batches import SubmittedBatch, cancel_some, move_silent_batch, submit_batch
from gradyard.store.lifecycle.cancel import cancel_by_worker, move_silent, request_cancel
from gradyard.store.lifecycle.claim import Claim, ClaimedJob, claim, train_eagerly
from gradyard.store.fleet.claimable import something_to_claim
from gradyard.store.fleet.counters import PACK_SIZES, count, size_counter
from gradyard.store.lifecycle.delete import delete_job
from gradyard.store.lifecycle.expire import expire_claims, forget_old_keys, forget_workers, lease_is_over
from gradyard.store.lifecycle.finish import Ended, Outcome, fail, hand_back, release, succeed, succeed_all
from gradyard.store.fleet.holds import drain_device, hold, is_held_back, lift
from gradyard.store.lifecycle.api_keys import make_key, revoke_key
from gradyard.store.lifecycle.logs import keep_log
from gradyard.store.fleet.workers import (
    Abilities,
    Pulse,
    WorkerFacts,
    earlier_processes,
    hand_back_slot,
    heartbeat,
    register,
    retire,
)
from gradyard.store.lifecycle.record import Progress, record, record_all
from gradyard.store.lifecycle.rewind import rewind
from gradyard.store.lifecycle.submit import Submitted, submit

__all__ = [
    "PACK_SIZES", "Abilities", "Claim", "ClaimedJob", "Ended", "Outcome", "Progress", "Pulse", "Submitted",
    "SubmittedBatch", "WorkerFacts", "cancel_by_worker", "cancel_some", "claim", "count", "delete_job",
    "drain_device", "earlier_processes", "expire_claims", "fail", "forget_old_keys", "forget_workers", "hand_back",
    "hand_back_slot", "heartbeat", "hold", "is_held_back", "keep_log", "lease_is_over", "lift", "make_key",
    "move_silent", "move_silent_batch", "record", "record_all", "register", "release", "request_cancel", "retire",
    "revoke_key", "rewind", "size_counter", "something_to_claim", "submit", "submit_batch", "succeed",
    "succeed_all", "train_eagerly",
]  # fmt: skip
