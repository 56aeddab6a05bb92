"""The kinds of events in a job's event log: one word for programs, beside a sentence for people."""

from enum import StrEnum


class EventKind(StrEnum):
    """Why a job moved."""

    # into the queue for the first time, and out of it
    SUBMITTED = "submitted"
    CLAIMED = "claimed"
    RELEASED = "released"  # what it depends on has ended: it stays queued, and waits for a worker from now on
    # back into the queue; only the last one counts against the job
    HANDED_BACK = "handed_back"  # its worker stopped
    LEASE_LOST = "lease_lost"  # its worker did not renew the lease
    WORKER_DIED = "worker_died"  # an earlier process of the same slot held it
    CLAIM_RELEASED = "claim_released"  # the claim ended without a result for this job
    RUNNER_DIED = "runner_died"
    RUNNER_NOT_STARTED = "runner_not_started"
    FILE_UNREADABLE = "file_unreadable"  # the file that it is trained on could not be read on that host
    DEVICE_FAILED = "device_failed"
    ENGINE_UNUSABLE = "engine_unusable"  # the compiled engine does not work on that machine; the next attempt is eager
    RECORDS_LOST = "records_lost"  # the database had confirmed more of it than it has: back to what it has
    CHECKPOINT_UNUSABLE = "checkpoint_unusable"  # back to an older checkpoint, or to step 0
    PACK_FAILED = "pack_failed"  # its pack of several failed, and which member is to blame is not known
    PACK_TIMED_OUT = "pack_timed_out"  # over its time limit in a pack of several; its next attempt is alone
    WILL_RETRY = "will_retry"  # the trainer raised, and `max_retries` allows another attempt
    # final
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
