"""Figures of metrics know the stage and the state of their job, by which lists in their order are asked for.

`migrations.metric_rows` fills the rows that are there; a trigger does so for those that an older version writes.
"""

import sqlalchemy as sa
from alembic import op

from migrations.metric_triggers import create_trigger, drop_trigger
from migrations.online import add_column, check_words, drop_check_of_words

revision = "0035_pre"
down_revision = "0034_pre"
branch_labels = None
depends_on = None

ENDED = ("succeeded", "failed", "cancelled")


def upgrade() -> None:
    add_column("metric_summaries", sa.Column("stage", sa.String(64), nullable=True))
    add_column("metric_summaries", sa.Column("state", sa.String(16), nullable=True))
    create_trigger()
    check_words("metric_summaries", "state", ENDED)


def downgrade() -> None:
    drop_check_of_words("metric_summaries", "state")
    drop_trigger()
    op.drop_column("metric_summaries", "state")
    op.drop_column("metric_summaries", "stage")
