"""Jobs that are kept, whatever retention says; and the audit of changes of jobs, of one or of all of a question."""

import sqlalchemy as sa
from alembic import op

from migrations.online import add_column, widen_check

revision = "0025_pre"
down_revision = "0024_pre"
branch_labels = None
depends_on = None

ACTIONS = (
    "key_created", "key_rotated", "key_revoked", "drained", "undrained", "paused", "resumed", "job_deleted",
    "batch_deleted", "job_changed", "jobs_cancelled", "jobs_retried", "jobs_deleted", "jobs_tagged",
)  # fmt: skip


def upgrade() -> None:
    add_column("jobs", sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false()))
    widen_check("audit", "action", ACTIONS)


def downgrade() -> None:
    # The audit keeps its words: an older version writes fewer, and what was written stays.
    op.drop_column("jobs", "pinned")
