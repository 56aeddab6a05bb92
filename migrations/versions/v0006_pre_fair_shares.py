"""Room for fair shares: what a job takes of its flow's share, and how far each worker has come in the queue."""

import sqlalchemy as sa
from alembic import op

revision = "0006_pre"
down_revision = "0005_pre"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("share_seconds", sa.Double(), nullable=True))
    op.add_column("workers", sa.Column("served_priority", sa.Integer(), nullable=True))
    op.add_column("workers", sa.Column("served_rank", sa.Double(), nullable=True))
    op.drop_index("ix_jobs_newest_of_batch", "jobs")
    op.create_index("ix_jobs_newest_of_batch", "jobs", ["project_id", "batch_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_jobs_newest_of_batch", "jobs")
    op.create_index("ix_jobs_newest_of_batch", "jobs", ["batch_id", "id"])
    op.drop_column("workers", "served_rank")
    op.drop_column("workers", "served_priority")
    op.drop_column("jobs", "share_seconds")
