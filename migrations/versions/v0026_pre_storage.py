"""What a project stores, and how long it keeps it; the ids of what was deleted are forgotten some day."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.online import create_index, drop_index, widen_check

revision = "0026_pre"
down_revision = "0025_pre"
branch_labels = None
depends_on = None

KINDS = ("losses", "metrics", "artifacts", "checkpoints", "logs", "events", "specs")
ACTIONS = (
    "key_created", "key_rotated", "key_revoked", "drained", "undrained", "paused", "resumed", "job_deleted",
    "batch_deleted", "job_changed", "jobs_cancelled", "jobs_retried", "jobs_deleted", "jobs_tagged", "retention_set",
    "jobs_expired",
)  # fmt: skip
PINNED = {"sqlite_where": sa.text("pinned = 1"), "postgresql_where": sa.text("pinned")}


def upgrade() -> None:
    op.create_table(
        "job_sizes", sa.Column("job_id", sa.Uuid(), nullable=False), *_of_project("job_sizes"),
        sa.Column("finished_at", sa.Double(), nullable=False), *_sizes(),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_sizes_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_job_sizes")), if_not_exists=True,
    )  # fmt: skip
    op.create_index("ix_job_sizes_oldest", "job_sizes", ["project_id", "finished_at", "job_id"], if_not_exists=True)
    op.create_table(
        "project_storage", *_of_project("project_storage"), *_sizes(),
        sa.Column("measured_at", sa.Double(), nullable=False), sa.Column("measured_to", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_project_storage")), if_not_exists=True,
    )  # fmt: skip
    op.create_table(
        "retention", *_of_project("retention"),
        sa.Column("days", sa.Double(), nullable=True), sa.Column("jobs", sa.BigInteger(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True), sa.Column("set_at", sa.Double(), nullable=False),
        sa.Column("set_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_retention")), if_not_exists=True,
    )  # fmt: skip
    widen_check("audit", "action", ACTIONS)
    create_index("ix_jobs_pinned", "jobs", ["project_id", "id"], **PINNED)
    for table in ("deleted_jobs", "deleted_batches"):
        create_index(f"ix_{table}_deleted_at", table, ["deleted_at"])


def downgrade() -> None:
    for table in ("deleted_batches", "deleted_jobs"):
        drop_index(f"ix_{table}_deleted_at", table)
    drop_index("ix_jobs_pinned", "jobs")
    for table in ("retention", "project_storage", "job_sizes"):
        op.drop_table(table)


def _of_project(table: str) -> list[Any]:
    return [
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f(f"fk_{table}_project_id")),
    ]


def _sizes() -> list[sa.Column[int]]:
    return [
        sa.Column(f"{kind}_{what}", sa.BigInteger(), nullable=False) for kind in KINDS for what in ("bytes", "rows")
    ]
