"""The indexes of metrics' figures without a stage go, and the triggers for an older version."""

from migrations.metric_triggers import create_triggers, drop_triggers
from migrations.online import create_index, drop_index

revision = "0038_post"
down_revision = "0037_pre"
branch_labels = None
depends_on = None

FIGURES = ("last", "min", "max")


def upgrade() -> None:
    drop_triggers()
    for figure in FIGURES:
        drop_index(f"ix_metric_summaries_by_{figure}", "metric_summaries")


def downgrade() -> None:
    create_triggers()
    for figure in FIGURES:
        create_index(f"ix_metric_summaries_by_{figure}", "metric_summaries", ["project_id", "name", figure, "job_id"])
