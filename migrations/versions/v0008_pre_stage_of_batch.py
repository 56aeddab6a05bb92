"""An index for the jobs of one stage in a batch, in which it may be rare."""

import sqlalchemy as sa
from alembic import op

revision = "0008_pre"
down_revision = "0007_pre"
branch_labels = None
depends_on = None

IN_A_BATCH = sa.text("batch_id IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_jobs_by_batch_and_stage", "jobs", ["batch_id", "stage", "state", "id"],
        sqlite_where=IN_A_BATCH, postgresql_where=IN_A_BATCH,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_jobs_by_batch_and_stage", "jobs")
