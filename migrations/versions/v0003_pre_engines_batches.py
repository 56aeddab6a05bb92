"""Room for the engine that a job is trained with, for those that a worker has, and for batches."""

import sqlalchemy as sa
from alembic import op

revision = "0003_pre"
down_revision = "0002_pre"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sweep", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("submitted_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_batches_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_index("ix_batches_newest", "batches", ["project_id", "id"])
    op.add_column("jobs", sa.Column("engine", sa.String(16), nullable=True))
    op.add_column("jobs", sa.Column("batch_id", sa.Uuid(), nullable=True))
    op.create_index("ix_jobs_by_batch", "jobs", ["batch_id", "state", "id"])
    op.add_column("idempotency_keys", sa.Column("batch_id", sa.Uuid(), nullable=True))
    op.add_column("workers", sa.Column("engines", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("workers", "engines")
    op.drop_column("idempotency_keys", "batch_id")
    op.drop_index("ix_jobs_by_batch", "jobs")
    op.drop_column("jobs", "batch_id")
    op.drop_column("jobs", "engine")
    op.drop_table("batches")
