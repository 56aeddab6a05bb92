"""What can happen to a job, as one word for programs. The event log has it beside a sentence for people."""

from enum import StrEnum


class EventKind(StrEnum):
    """What moved a job. The moves themselves are `gradyard.jobs.states.MOVES`."""

    # into the queue for the first time, and out of it
    SUBMITTED = "submitted"
    CLAIMED = "claimed"
    # back into the queue; no job is blamed for any of these but the last
    HANDED_BACK = "handed_back"  # its worker stops
    LEASE_LOST = "lease_lost"  # its worker did not renew the lease
    WORKER_DIED = "worker_died"  # an earlier process of the same slot held it
    CLAIM_RELEASED = "claim_released"  # the claim ended without a word on this job
    RUNNER_DIED = "runner_died"
    RUNNER_NOT_STARTED = "runner_not_started"
    DEVICE_FAILED = "device_failed"
    ENGINE_UNUSABLE = "engine_unusable"  # the compiled engine does not work there; the next attempt is eager
    CHECKPOINT_UNUSABLE = "checkpoint_unusable"  # back to an older checkpoint, or to step 0
    PACK_FAILED = "pack_failed"  # its pack failed, and no member was alone
    PACK_TIMED_OUT = "pack_timed_out"  # over its time in company; it is tried alone
    WILL_RETRY = "will_retry"  # the trainer raised, and `max_retries` allows another attempt
    # final
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
