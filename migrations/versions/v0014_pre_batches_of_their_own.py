"""A batch can be retried and deleted: which job stands in the place of which, and the ids of deleted batches."""

import sqlalchemy as sa
from alembic import op

from migrations.online import add_column, create_index

revision = "0014_pre"
down_revision = "0013_pre"
branch_labels = None
depends_on = None

FAILED_AND_COUNTED = sa.text("batch_id IS NOT NULL AND state = 'failed' AND replaced_by IS NULL")
REPLACED = sa.text("replaced_by IS NOT NULL")


def upgrade() -> None:
    add_column("jobs", sa.Column("replaced_by", sa.Uuid(), nullable=True))
    add_column("idempotency_keys", sa.Column("retried", sa.Integer(), nullable=True))
    op.create_table(
        "deleted_batches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_deleted_batches_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deleted_batches")),
        if_not_exists=True,
    )
    create_index(
        "ix_jobs_failed_of_batch", "jobs", ["batch_id", "reason", "id"],
        sqlite_where=FAILED_AND_COUNTED, postgresql_where=FAILED_AND_COUNTED,
    )  # fmt: skip
    create_index(
        "ix_jobs_replaced_of_batch", "jobs", ["batch_id", "state"], sqlite_where=REPLACED, postgresql_where=REPLACED
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_replaced_of_batch", "jobs")
    op.drop_index("ix_jobs_failed_of_batch", "jobs")
    op.drop_table("deleted_batches")
    op.drop_column("idempotency_keys", "retried")
    op.drop_column("jobs", "replaced_by")
