"""Files that people sent in as data, the content of the small ones, and which jobs are trained on them."""

import sqlalchemy as sa
from alembic import op

from migrations.online import check_words, drop_check_of_words, widen_check

revision = "0034_pre"
down_revision = "0033_pre"
branch_labels = None
depends_on = None

OF_FILE = ["files.project_id", "files.sha256"]
KINDS = (
    "submitted", "claimed", "released", "handed_back", "lease_lost", "worker_died", "claim_released", "runner_died",
    "runner_not_started", "file_unreadable", "device_failed", "engine_unusable", "records_lost", "checkpoint_unusable",
    "pack_failed", "pack_timed_out", "will_retry", "succeeded", "failed", "cancelled",
)  # fmt: skip
ACTIONS = (
    "key_created", "key_rotated", "key_revoked", "drained", "undrained", "paused", "resumed", "job_deleted",
    "batch_deleted", "job_changed", "jobs_cancelled", "jobs_retried", "jobs_deleted", "jobs_tagged", "retention_set",
    "jobs_expired", "webhook_created", "webhook_changed", "webhook_rotated", "webhook_deleted", "webhook_resent",
    "file_deleted",
)  # fmt: skip
FORMATS = "format IN ('csv', 'npy', 'npz', 'parquet', 'bytes')"


def upgrade() -> None:
    op.create_table(
        "files",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.String(8), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("preview", sa.JSON(), nullable=False),
        sa.Column("place", sa.String(200), nullable=True),
        sa.Column("uploaded_at", sa.Double(), nullable=False),
        sa.Column("uploaded_by", sa.String(200), nullable=False),
        sa.CheckConstraint(FORMATS, name=op.f("ck_files_format_is_known")),
        sa.CheckConstraint("bytes > 0", name=op.f("ck_files_it_has_content")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_files_project_id")),
        sa.PrimaryKeyConstraint("project_id", "sha256", name=op.f("pk_files")),
        if_not_exists=True,
    )
    op.create_index("ix_files_newest", "files", ["project_id", "uploaded_at", "sha256"], if_not_exists=True)
    op.create_table(
        "file_contents",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "sha256"], OF_FILE, ondelete="CASCADE", name=op.f("fk_file_contents_project_id_sha256")
        ),
        sa.PrimaryKeyConstraint("project_id", "sha256", name=op.f("pk_file_contents")),
        if_not_exists=True,
    )
    op.create_table(
        "job_files",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE", name=op.f("fk_job_files_job_id")),
        sa.ForeignKeyConstraint(["project_id", "sha256"], OF_FILE, name=op.f("fk_job_files_project_id_sha256")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_job_files")),
        if_not_exists=True,
    )
    op.create_index("ix_job_files_of_file", "job_files", ["project_id", "sha256"], if_not_exists=True)
    op.create_table(
        "unclaimed_contents",
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_unclaimed_contents")),
        if_not_exists=True,
    )
    op.create_index(op.f("ix_unclaimed_contents_due_at"), "unclaimed_contents", ["due_at"], if_not_exists=True)
    op.create_table(
        "prepared_places",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("prepared_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prepared_places")),
        if_not_exists=True,
    )
    widen_check("audit", "action", ACTIONS)
    drop_check_of_words("job_events", "kind")
    check_words("job_events", "kind", KINDS)


def downgrade() -> None:
    # The checks keep their words: an older version writes fewer, and what was written stays.
    for table in ("prepared_places", "unclaimed_contents", "job_files", "file_contents", "files"):
        op.drop_table(table)
