"""Every read, named as the question that it answers. A project's rows are filtered here and nowhere else."""

from jobs.queries.batches import batch_by_id, batch_is_marked, batches_newest_first, best_of_batch, counts_of_batches
from jobs.queries.fleet import (
    QueueDepth,
    cancelled_members,
    counts_by_state,
    idle_slots,
    is_held,
    live_slots,
    members_of,
    position_of,
    queue_depths,
    workers_seen,
)
from jobs.queries.histories import (
    MetricCurve,
    artifact,
    artifacts_of,
    checkpoints_of,
    events_of,
    logs_of,
    loss_curve,
    metric_curve,
    metric_names,
)
from jobs.queries.jobs import Page, crashes_of, job_by_id, jobs_newest_first, state_of

__all__ = [
    "MetricCurve", "Page", "QueueDepth", "artifact", "artifacts_of", "batch_by_id", "batch_is_marked",
    "batches_newest_first", "best_of_batch", "cancelled_members", "checkpoints_of", "counts_by_state",
    "counts_of_batches", "crashes_of", "events_of", "idle_slots", "is_held", "job_by_id", "jobs_newest_first",
    "live_slots", "logs_of", "loss_curve", "members_of", "metric_curve", "metric_names", "position_of",
    "queue_depths", "state_of", "workers_seen",
]  # fmt: skip
