"""Columns with a closed vocabulary refuse other words. The words are those of this moment: a new one needs a step."""

from migrations.online import check_words, drop_check_of_words

revision = "0011_pre"
down_revision = "0010_pre"
branch_labels = None
depends_on = None

STATES = ("queued", "running", "succeeded", "failed", "cancelled")
KINDS = (
    "submitted", "claimed", "handed_back", "lease_lost", "worker_died", "claim_released", "runner_died",
    "runner_not_started", "device_failed", "engine_unusable", "checkpoint_unusable", "pack_failed", "pack_timed_out",
    "will_retry", "succeeded", "failed", "cancelled",
)  # fmt: skip
CHECKED = (
    ("jobs", "reason", ("error", "diverged", "timeout", "out_of_memory", "poison", "invalid_data")),
    ("jobs", "dtype", ("float32", "float64")),
    ("jobs", "engine", ("eager", "gram", "blas", "inductor", "cudagraph")),
    ("job_events", "from_state", STATES),
    ("job_events", "to_state", STATES),
    ("job_events", "kind", KINDS),
    ("workers", "queue", ("cpu", "gpu")),
    ("claims", "queue", ("cpu", "gpu")),
    ("holds", "kind", ("queue", "host", "slot", "gpu")),
)


def upgrade() -> None:
    for table, column, words in CHECKED:
        check_words(table, column, words)


def downgrade() -> None:
    for table, column, _ in reversed(CHECKED):
        drop_check_of_words(table, column)
