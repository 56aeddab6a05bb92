"""The indexes of lists over `jobs` go, and the triggers for an older version; `summaries` has what they were for."""

import sqlalchemy as sa

from migrations.online import create_index, drop_index
from migrations.summary_triggers import create_triggers, drop_triggers

revision = "0022_post"
down_revision = "0021_pre"
branch_labels = None
depends_on = None

QUEUED, IN_A_BATCH = sa.text("state = 'queued'"), sa.text("batch_id IS NOT NULL")
PRIORITY = sa.text("priority DESC")
OLD = (
    ("ix_jobs_claimable", [PRIORITY, "rank", "id"], QUEUED),
    ("ix_jobs_riders", ["pack_key", "start_step", PRIORITY, "rank", "id"], QUEUED),
    ("ix_jobs_newest", ["project_id", "id"], None),
    ("ix_jobs_by_state", ["project_id", "state", "id"], None),
    ("ix_jobs_by_batch", ["batch_id", "state", "id"], None),
    ("ix_jobs_newest_of_batch", ["project_id", "batch_id", "id"], None),
    ("ix_jobs_by_batch_and_stage", ["batch_id", "stage", "state", "id"], IN_A_BATCH),
    ("ix_jobs_by_stage", ["project_id", "stage", "id"], None),
    ("ix_jobs_by_stage_and_state", ["project_id", "stage", "state", "id"], None),
    ("ix_jobs_claim_id", ["claim_id"], None),
)


def upgrade() -> None:
    drop_triggers()
    for name, _, _ in OLD:
        drop_index(name, "jobs")


def downgrade() -> None:
    create_triggers()
    for name, columns, where in OLD:
        create_index(name, "jobs", columns, sqlite_where=where, postgresql_where=where)
