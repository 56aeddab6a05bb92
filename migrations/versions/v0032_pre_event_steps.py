"""The steps up to which a job was recorded after each of its moves: what it had beyond, it trains again."""

import sqlalchemy as sa
from alembic import op

from migrations.online import add_column

revision = "0032_pre"
down_revision = "0031_pre"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_column("job_events", sa.Column("steps_done", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("job_events", "steps_done")
