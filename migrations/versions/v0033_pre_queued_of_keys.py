"""Of the jobs of a key that has a limit of queued jobs: whose they are, and an index of those that wait."""

import sqlalchemy as sa
from alembic import op

from migrations.online import add_column, create_index, drop_index

revision = "0033_pre"
down_revision = "0032_pre"
branch_labels = None
depends_on = None

COUNTED = sa.text("state = 'queued' AND counted_for IS NOT NULL")


def upgrade() -> None:
    add_column("jobs", sa.Column("counted_for", sa.String(200), nullable=True))
    create_index("ix_jobs_queued_of_key", "jobs", ["counted_for"], sqlite_where=COUNTED, postgresql_where=COUNTED)


def downgrade() -> None:
    drop_index("ix_jobs_queued_of_key", "jobs")
    op.drop_column("jobs", "counted_for")
