"""Every job has its summary: `migrations.summary_rows` runs before this step, beside writers."""

from alembic import op
from sqlalchemy import text

revision = "0021_pre"
down_revision = "0020_pre"
branch_labels = None
depends_on = None

_MISSING = "SELECT 1 FROM jobs LEFT JOIN summaries ON job_id = id WHERE job_id IS NULL LIMIT 1"


def upgrade() -> None:
    if op.get_bind().execute(text(_MISSING)).first() is not None:
        raise RuntimeError("jobs without a summary are left; run gradyard db upgrade again")


def downgrade() -> None:
    pass
