"""Every change of a job's state, and nothing else. Each function works inside the caller's transaction.

Every write of a running job is fenced: it names the attempt, and where the row has moved on it changes nothing.
"""

from jobs.lifecycle.batches import SubmittedBatch, cancel_some, move_silent_batch, submit_batch
from jobs.lifecycle.cancel import cancel_by_worker, move_silent, request_cancel
from jobs.lifecycle.claim import Claim, ClaimedJob, claim, train_eagerly
from jobs.lifecycle.claimable import something_to_claim
from jobs.lifecycle.counters import PACK_SIZES, count, size_counter
from jobs.lifecycle.delete import delete_job
from jobs.lifecycle.expire import expire_claims, forget_old_keys, forget_workers, lease_is_over
from jobs.lifecycle.finish import Ended, Outcome, fail, hand_back, release, succeed, succeed_all
from jobs.lifecycle.holds import drain_device, hold, is_held_back, lift
from jobs.lifecycle.keys import make_key, revoke_key
from jobs.lifecycle.logs import keep_log
from jobs.lifecycle.presence import (
    Abilities,
    Pulse,
    WorkerFacts,
    earlier_processes,
    hand_back_slot,
    heartbeat,
    register,
    retire,
)
from jobs.lifecycle.record import Progress, record, record_all
from jobs.lifecycle.rewind import rewind
from jobs.lifecycle.submit import Submitted, submit

__all__ = [
    "PACK_SIZES", "Abilities", "Claim", "ClaimedJob", "Ended", "Outcome", "Progress", "Pulse", "Submitted",
    "SubmittedBatch", "WorkerFacts", "cancel_by_worker", "cancel_some", "claim", "count", "delete_job",
    "drain_device", "earlier_processes", "expire_claims", "fail", "forget_old_keys", "forget_workers", "hand_back",
    "hand_back_slot", "heartbeat", "hold", "is_held_back", "keep_log", "lease_is_over", "lift", "make_key",
    "move_silent", "move_silent_batch", "record", "record_all", "register", "release", "request_cancel", "retire",
    "revoke_key", "rewind", "size_counter", "something_to_claim", "submit", "submit_batch", "succeed",
    "succeed_all", "train_eagerly",
]  # fmt: skip
