"""What goes before fair shares, and indexes for the claim order, the jobs of a project and its single jobs.

The indexes of the order by priority stay for workers of an older version; a `post` step will drop them.
"""

import sqlalchemy as sa
from alembic import op

from migrations.online import add_column, create_index

revision = "0019_pre"
down_revision = "0018_pre"
branch_labels = None
depends_on = None

QUEUED = sa.text("state = 'queued'")
SINGLE = sa.text("batch_id IS NULL AND state IN ('queued', 'running')")
INDEXES = (
    ("ix_jobs_claim_order", ["queue", sa.text("precedence DESC"), "rank", "id"], QUEUED),
    ("ix_jobs_riders_in_order", ["pack_key", "start_step", sa.text("precedence DESC"), "rank", "id"], QUEUED),
    ("ix_jobs_by_priority", ["project_id", "queue", "precedence", sa.text("priority DESC"), "rank", "id"], QUEUED),
    ("ix_jobs_singles", ["project_id", "queue", "precedence", "rank"], SINGLE),
)


def upgrade() -> None:
    add_column("jobs", sa.Column("precedence", sa.Integer(), nullable=False, server_default=sa.text("0")))
    for name, columns, where in INDEXES:
        create_index(name, "jobs", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, _, _ in INDEXES:
        op.drop_index(name, "jobs")
    op.drop_column("jobs", "precedence")
