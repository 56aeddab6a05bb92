"""Rows of a job have the project of their job, which alone refers to it: each check of theirs cost as much as a row.

An older version works without these keys as well; the step is a `post` because a `pre` would need 0038_post before it.
"""

from migrations.online import add_foreign_key, drop_foreign_key

revision = "0039_post"
down_revision = "0038_post"
branch_labels = None
depends_on = None

TABLES = (
    "artifacts", "attempt_logs", "checkpoints", "job_events", "job_sizes", "job_tags", "loss_chunks", "metric_chunks",
    "metric_summaries", "rechecks", "results", "summaries",
)  # fmt: skip


def upgrade() -> None:
    for table in TABLES:
        drop_foreign_key(f"fk_{table}_project_id", table, "project_id", "projects (id)")


def downgrade() -> None:
    for table in TABLES:
        add_foreign_key(f"fk_{table}_project_id", table, "project_id", "projects (id)")
