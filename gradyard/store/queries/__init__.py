"""Every read, named as the question that it answers. Only these functions filter rows by project."""

from gradyard.store.queries.api_keys import (
    key_by_id,
    keys_between,
    keys_newest_first,
    live_key,
    live_keys,
    project_named,
)
from gradyard.store.queries.audit import audit_newest_first
from gradyard.store.queries.batches import (
    batch_by_id,
    batches_newest_first,
    counts_of_batches,
    failures_of_batch,
    jobs_to_retry,
    size_of_retry,
    submitter_of_batch,
)
from gradyard.store.queries.beginnings import (
    batches_between,
    deleted_batches_between,
    deleted_jobs_between,
    jobs_between,
)
from gradyard.store.queries.best import best_jobs, metrics_measured, some_succeeded
from gradyard.store.queries.curves import (
    MetricCurve,
    loss_curve,
    loss_curves,
    loss_range,
    metric_curve,
    metric_figures,
    metric_names,
)
from gradyard.store.queries.exports.asked import AskedJobs, jobs_to_export
from gradyard.store.queries.exports.rows import ExportReader, ExportRows
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
    job_counts,
    jobs_per_second,
    live_slots,
    members_of,
    queue_depths,
    workers_in_order,
    workers_seen,
)
from gradyard.store.queries.histories import (
    artifact,
    artifacts_of,
    checkpoints_of,
    events_of,
    logs_of,
)
from gradyard.store.queries.jobs import Page, crashes_of, job_by_id, jobs_by_ids, jobs_newest_first, state_of
from gradyard.store.queries.live.ends import live_among, marked_among
from gradyard.store.queries.live.heads import BatchHead, JobHead, ProjectHead, batch_heads, job_heads, project_heads
from gradyard.store.queries.live.members import ended_members, live_members, moves_of_members, moving_members
from gradyard.store.queries.live.since import Span, kept_steps, moves_after, span
from gradyard.store.queries.questions.orders import jobs_in_order
from gradyard.store.queries.questions.pages import jobs_asked
from gradyard.store.queries.questions.values import values_of_jobs
from gradyard.store.queries.rechecks import compare_recheck, verdict_on
from gradyard.store.queries.start_estimates import Ahead, ahead_of, free_in_seconds, seconds_ahead, start_in_seconds
from gradyard.store.queries.storage import storage_by_project
from gradyard.store.queries.stored_bytes import arrays_of, loss_blocks

__all__ = [
    "Ahead",
    "AskedJobs",
    "BatchHead",
    "ExportReader",
    "ExportRows",
    "JobHead",
    "MetricCurve",
    "Page",
    "ProjectHead",
    "QueueDepth",
    "Span",
    "ahead_of",
    "arrays_of",
    "artifact",
    "artifacts_of",
    "audit_newest_first",
    "batch_by_id",
    "batch_heads",
    "batches_between",
    "batches_newest_first",
    "best_jobs",
    "cancelled_members",
    "checkpoints_of",
    "claim_exists",
    "compare_recheck",
    "counters",
    "counts_by_state",
    "counts_of_batches",
    "crashes_of",
    "deleted_batches_between",
    "deleted_jobs_between",
    "depths_of_all",
    "drain_targets_named",
    "ended_members",
    "events_of",
    "failures_of_batch",
    "free_in_seconds",
    "gpus_at",
    "holds",
    "job_by_id",
    "job_counts",
    "job_heads",
    "jobs_asked",
    "jobs_between",
    "jobs_by_ids",
    "jobs_in_order",
    "jobs_newest_first",
    "jobs_per_second",
    "jobs_to_export",
    "jobs_to_retry",
    "kept_steps",
    "key_by_id",
    "keys_between",
    "keys_newest_first",
    "live_among",
    "live_key",
    "live_keys",
    "live_members",
    "live_slots",
    "logs_of",
    "loss_blocks",
    "loss_curve",
    "loss_curves",
    "loss_range",
    "marked_among",
    "members_of",
    "metric_curve",
    "metric_figures",
    "metric_names",
    "metrics_measured",
    "moves_after",
    "moves_of_members",
    "moving_members",
    "project_heads",
    "project_named",
    "queue_depths",
    "seconds_ahead",
    "size_of_retry",
    "some_succeeded",
    "span",
    "start_in_seconds",
    "state_of",
    "storage_by_project",
    "submitter_of_batch",
    "values_of_jobs",
    "verdict_on",
    "workers_in_order",
    "workers_seen",
]  # fmt: skip
