"""`metric_summaries` has the stage and the final state of each job, by which lists in the order of a metric are asked.

`migrations.metric_rows` fills the rows that are there; triggers do so for those that an older version stores.
"""

import sqlalchemy as sa
from alembic import op

from migrations.metric_triggers import create_triggers, drop_triggers
from migrations.online import add_column, check_words, drop_check_of_words

revision = "0035_pre"
down_revision = "0034_pre"
branch_labels = None
depends_on = None

ENDED = ("succeeded", "failed", "cancelled")


def upgrade() -> None:
    add_column("metric_summaries", sa.Column("stage", sa.String(64), nullable=True))
    add_column("metric_summaries", sa.Column("state", sa.String(16), nullable=True))
    create_triggers()
    check_words("metric_summaries", "state", ENDED)


def downgrade() -> None:
    drop_check_of_words("metric_summaries", "state")
    drop_triggers()
    op.drop_column("metric_summaries", "state")
    op.drop_column("metric_summaries", "stage")
