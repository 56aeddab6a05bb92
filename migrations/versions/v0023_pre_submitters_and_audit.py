"""Whose a batch is (NULL: one of an older version), and what people did with keys, workers, queues and jobs."""

import sqlalchemy as sa
from alembic import op

from migrations.online import add_column

revision = "0023_pre"
down_revision = "0022_post"
branch_labels = None
depends_on = None

ACTIONS = "'key_created', 'key_rotated', 'key_revoked', 'drained', 'undrained', 'paused', 'resumed', 'job_deleted', "
ACTIONS += "'batch_deleted'"


def upgrade() -> None:
    add_column("batches", sa.Column("submitted_by", sa.String(200), nullable=True))
    op.create_table(
        "audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("action", sa.String(24), nullable=False),
        sa.Column("target", sa.String(400), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.CheckConstraint(f"action IN ({ACTIONS})", name=op.f("ck_audit_action_is_known")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_audit_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        if_not_exists=True,
    )
    op.create_index("ix_audit_of_project", "audit", ["project_id", "id"], if_not_exists=True)


def downgrade() -> None:
    op.drop_table("audit")
    op.drop_column("batches", "submitted_by")
