"""Every change of a job's state, and nothing else. Each function works inside the caller's transaction.

Every write of a running job is fenced: it names attempt and claim, and changes nothing where the job has moved on.
"""

from gradyard.store.lifecycle.actions.change import change_job
from gradyard.store.lifecycle.api_keys import make_key, revoke_key, rotate_key
from gradyard.store.lifecycle.batches import RetriedBatch, SubmittedBatch, retry_batch, submit_batch
from gradyard.store.lifecycle.cancel import (
    CancelledSlice,
    cancel_by_worker,
    cancel_some,
    move_silent,
    move_silent_batch,
    request_cancel,
)
from gradyard.store.lifecycle.claim import Claim, ClaimedJob, claim, train_eagerly
from gradyard.store.lifecycle.delete import DeletedSlice, delete_batch_slice, delete_ended, delete_job
from gradyard.store.lifecycle.dependencies.decide import decide_some, waits_to_decide
from gradyard.store.lifecycle.dependencies.release import move_some, waits_to_end
from gradyard.store.lifecycle.expire import expire_claim, expired_claims
from gradyard.store.lifecycle.finish import Ended, Outcome, fail, hand_back, keep_log, release, succeed, succeed_all
from gradyard.store.lifecycle.moves import Fence
from gradyard.store.lifecycle.record import Progress, Recorded, record, record_all
from gradyard.store.lifecycle.requeue_lost import hand_back_slot
from gradyard.store.lifecycle.rewind import rewind
from gradyard.store.lifecycle.submit import Submitted, submit

__all__ = [
    "CancelledSlice",
    "Claim",
    "ClaimedJob",
    "DeletedSlice",
    "Ended",
    "Fence",
    "Outcome",
    "Progress",
    "Recorded",
    "RetriedBatch",
    "Submitted",
    "SubmittedBatch",
    "cancel_by_worker",
    "cancel_some",
    "change_job",
    "claim",
    "decide_some",
    "delete_batch_slice",
    "delete_ended",
    "delete_job",
    "expire_claim",
    "expired_claims",
    "fail",
    "hand_back",
    "hand_back_slot",
    "keep_log",
    "make_key",
    "move_silent",
    "move_silent_batch",
    "move_some",
    "record",
    "record_all",
    "release",
    "request_cancel",
    "retry_batch",
    "revoke_key",
    "rewind",
    "rotate_key",
    "submit",
    "submit_batch",
    "succeed",
    "succeed_all",
    "train_eagerly",
    "waits_to_decide",
    "waits_to_end",
]  # fmt: skip
