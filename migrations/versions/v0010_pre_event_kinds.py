"""The event log says in one word for programs what moved a job. Events of older versions have none."""

import sqlalchemy as sa
from alembic import op

revision = "0010_pre"
down_revision = "0009_pre"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_events", sa.Column("kind", sa.String(24), nullable=True))


def downgrade() -> None:
    op.drop_column("job_events", "kind")
