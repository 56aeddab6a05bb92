"""An index for each filter of the list of jobs: a page of a rare kind is as near as one of a frequent kind."""

from alembic import op

revision = "0005_pre"
down_revision = "0004_pre"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_jobs_newest_of_batch", "jobs", ["batch_id", "id"])
    op.create_index("ix_jobs_by_stage_and_state", "jobs", ["project_id", "stage", "state", "id"])


def downgrade() -> None:
    op.drop_index("ix_jobs_by_stage_and_state", "jobs")
    op.drop_index("ix_jobs_newest_of_batch", "jobs")
