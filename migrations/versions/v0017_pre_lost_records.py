"""An event may say that the database had lost records of a job. Going back needs a database without such events."""

from migrations.online import check_words, drop_check_of_words

revision = "0017_pre"
down_revision = "0016_pre"
branch_labels = None
depends_on = None

BEFORE = (
    "submitted", "claimed", "handed_back", "lease_lost", "worker_died", "claim_released", "runner_died",
    "runner_not_started", "device_failed", "engine_unusable", "checkpoint_unusable", "pack_failed", "pack_timed_out",
    "will_retry", "succeeded", "failed", "cancelled",
)  # fmt: skip


def upgrade() -> None:
    drop_check_of_words("job_events", "kind")
    check_words("job_events", "kind", (*BEFORE, "records_lost"))


def downgrade() -> None:
    drop_check_of_words("job_events", "kind")
    check_words("job_events", "kind", BEFORE)
