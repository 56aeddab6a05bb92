"""A worker's row tells its machine, since two may have one name, and which of its reports were counted."""

import sqlalchemy as sa
from alembic import op

revision = "0018_pre"
down_revision = "0017_pre"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workers", sa.Column("machine", sa.String(64), nullable=True))
    op.add_column("workers", sa.Column("counted_reports", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("workers", "counted_reports")
    op.drop_column("workers", "machine")
