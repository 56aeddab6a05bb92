"""Indexes of metrics' figures by stage and state: `migrations.metric_rows` runs before this step, beside writers."""

from alembic import op
from sqlalchemy import text

from migrations.online import create_index, drop_index

revision = "0036_pre"
down_revision = "0035_pre"
branch_labels = None
depends_on = None

FIGURES = ("last", "min", "max")
_MISSING = (
    "SELECT 1 FROM metric_summaries m JOIN summaries s ON s.job_id = m.job_id "
    "WHERE m.state IS NULL AND s.state IS NOT NULL LIMIT 1"
)


def upgrade() -> None:
    if op.get_bind().execute(text(_MISSING)).first() is not None:
        raise RuntimeError("metrics without a stage are left; run gradyard db upgrade again")
    for figure in FIGURES:
        columns = ["project_id", "name", "stage", "state", figure, "job_id"]
        create_index(f"ix_metric_summaries_in_order_of_{figure}", "metric_summaries", columns)


def downgrade() -> None:
    for figure in FIGURES:
        drop_index(f"ix_metric_summaries_in_order_of_{figure}", "metric_summaries")
