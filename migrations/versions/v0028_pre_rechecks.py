"""Jobs that train another one again, and what came of the comparison."""

import sqlalchemy as sa
from alembic import op

from migrations.online import add_column, create_index, drop_index

revision = "0028_pre"
down_revision = "0027_pre"
branch_labels = None
depends_on = None

STATES = "'same', 'differs', 'cannot be compared'"


def upgrade() -> None:
    add_column("jobs", sa.Column("recheck_of", sa.Uuid(), nullable=True))
    op.create_table(
        "rechecks",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("first_different_step", sa.BigInteger(), nullable=True),
        sa.Column("differs_in", sa.JSON(), nullable=False),
        sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("compared_at", sa.Double(), nullable=False),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_rechecks_state_is_known")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_rechecks_job_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_rechecks_project_id")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_rechecks")),
        if_not_exists=True,
    )
    is_one = sa.text("recheck_of IS NOT NULL")
    create_index("ix_jobs_rechecks", "jobs", ["recheck_of", "id"], sqlite_where=is_one, postgresql_where=is_one)


def downgrade() -> None:
    drop_index("ix_jobs_rechecks", "jobs")
    op.drop_table("rechecks")
    op.drop_column("jobs", "recheck_of")
