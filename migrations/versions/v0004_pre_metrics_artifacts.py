"""Room for what a plug-in's trainer finds beside its losses: named curves and named arrays."""

import sqlalchemy as sa
from alembic import op

revision = "0004_pre"
down_revision = "0003_pre"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "metric_chunks",
        *_of_a_job("metric_chunks"),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("start_step", sa.BigInteger(), nullable=False),
        sa.Column("every", sa.BigInteger(), nullable=False),
        sa.Column("metric_values", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "name", "start_step", name=op.f("pk_metric_chunks")),
    )
    op.create_table(
        "artifacts",
        *_of_a_job("artifacts"),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("dtype", sa.String(8), nullable=False),
        sa.Column("shape", sa.JSON(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "name", name=op.f("pk_artifacts")),
    )


def _of_a_job(table: str) -> list[sa.Column[object] | sa.ForeignKeyConstraint]:
    return [
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f(f"fk_{table}_job_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f(f"fk_{table}_project_id")),
    ]


def downgrade() -> None:
    op.drop_table("artifacts")
    op.drop_table("metric_chunks")
