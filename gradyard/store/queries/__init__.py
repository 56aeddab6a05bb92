"""Every read, named as the question that it answers. A project's rows are filtered here and nowhere else."""

from gradyard.store.queries.api_keys import key_by_id, keys_newest_first, live_key
from gradyard.store.queries.batches import (
    batch_by_id,
    batch_is_marked,
    batches_newest_first,
    best_of_batch,
    counts_of_batches,
    jobs_of_batch,
)
from gradyard.store.queries.fleet import (
    QueueDepth,
    cancelled_members,
    claim_exists,
    counters,
    counts_by_state,
    depths_of_all,
    drain_targets_named,
    gpus_at,
    holds,
    idle_slots,
    job_counts,
    jobs_per_second,
    live_slots,
    members_of,
    queue_depths,
    workers_seen,
)
from gradyard.store.queries.histories import (
    MetricCurve,
    artifact,
    artifacts_of,
    checkpoints_of,
    events_of,
    logs_of,
    loss_curve,
    loss_curves,
    metric_curve,
    metric_names,
)
from gradyard.store.queries.jobs import Page, crashes_of, job_by_id, jobs_newest_first, state_of
from gradyard.store.queries.start_estimates import Ahead, ahead_of, free_in_seconds, seconds_ahead, start_in_seconds

__all__ = [
    "Ahead", "MetricCurve", "Page", "QueueDepth", "ahead_of", "artifact", "artifacts_of", "batch_by_id",
    "batch_is_marked", "batches_newest_first", "best_of_batch", "cancelled_members", "checkpoints_of", "counters",
    "counts_by_state", "counts_of_batches", "crashes_of", "depths_of_all", "events_of", "free_in_seconds",
    "gpus_at", "holds", "idle_slots", "claim_exists", "job_by_id", "job_counts", "jobs_newest_first", "jobs_of_batch",
    "jobs_per_second", "key_by_id", "keys_newest_first", "live_key", "live_slots", "logs_of", "loss_curve",
    "loss_curves", "members_of", "metric_curve", "metric_names", "drain_targets_named", "queue_depths", "seconds_ahead",
    "state_of", "start_in_seconds", "workers_seen",
]  # fmt: skip
