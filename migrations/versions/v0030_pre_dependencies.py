"""Jobs that wait for other jobs and batches, meanwhile in a queue that no worker has, one of an older version neither.

What a job must hear of is marked in a column that an older version leaves alone, and found by an index of the ended
jobs that have the mark: so it is found also where an older version ended it. Where one goes back, jobs that wait stay
in that queue, and can only be cancelled.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.online import add_column, check_words, create_index, drop_check_of_words, drop_index, widen_check

revision = "0030_pre"
down_revision = "0029_pre"
branch_labels = None
depends_on = None

QUEUES = ("cpu", "gpu", "any")
REASONS = ("error", "diverged", "timeout", "out_of_memory", "poison", "invalid_data")
KINDS = (
    "submitted", "claimed", "handed_back", "lease_lost", "worker_died", "claim_released", "runner_died",
    "runner_not_started", "device_failed", "engine_unusable", "checkpoint_unusable", "pack_failed", "pack_timed_out",
    "will_retry", "succeeded", "failed", "cancelled", "records_lost",
)  # fmt: skip
OVER = "state IN ('succeeded', 'failed', 'cancelled')"
FOLLOWED = {"sqlite_where": sa.text("followed = 1"), "postgresql_where": sa.text("followed")}
FOLLOWED_AND_OVER = {
    "sqlite_where": sa.text(f"followed = 1 AND {OVER}"), "postgresql_where": sa.text(f"followed AND {OVER}"),
}  # fmt: skip


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


INDEXES = (
    ("ix_jobs_blocked", "jobs", ["wait_id", "id"], _where("state = 'queued' AND queue = 'blocked'")),
    ("ix_jobs_followed", "jobs", ["id"], FOLLOWED_AND_OVER),
    ("ix_jobs_retries", "jobs", ["retry_of", "id"], _where("retry_of IS NOT NULL")),
    ("ix_batches_followed", "batches", ["id"], FOLLOWED),
)  # fmt: skip


def upgrade() -> None:
    _create_waits()
    add_column("jobs", sa.Column("wait_id", sa.Uuid(), nullable=True))
    for table in ("jobs", "batches"):
        add_column(table, sa.Column("followed", sa.Boolean(), nullable=False, server_default=sa.false()))
    for table in ("jobs", "summaries"):
        widen_check(table, "queue", (*QUEUES, "blocked"))
    widen_check("summaries", "reason", (*REASONS, "upstream_failed"))
    for table, column, words in (("jobs", "reason", (*REASONS, "upstream_failed")),
                                 ("job_events", "kind", (*KINDS, "released"))):  # fmt: skip
        drop_check_of_words(table, column)
        check_words(table, column, words)
    for name, table, columns, where in INDEXES:
        create_index(name, table, columns, **where)


def downgrade() -> None:
    # The checks keep their words: an older version writes fewer, and what was written stays.
    for name, table, _, _ in INDEXES:
        drop_index(name, table)
    for table, column in (("batches", "followed"), ("jobs", "followed"), ("jobs", "wait_id")):
        op.drop_column(table, column)
    op.drop_table("waits_for")
    op.drop_table("waits")


def _create_waits() -> None:
    op.create_table(
        "waits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'met', 'failed', 'closed')", name=op.f("ck_waits_state_is_known")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_waits_project_id")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_waits_job_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_waits_batch_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waits")),
        if_not_exists=True,
    )
    for name, column, condition in (
        ("ix_waits_decided", "id", "state IN ('met', 'failed')"),
        ("ix_waits_waiting", "id", "state = 'waiting'"),
        ("ix_waits_of_job", "job_id", "job_id IS NOT NULL"),
        ("ix_waits_of_batch", "batch_id", "batch_id IS NOT NULL"),
    ):
        op.create_index(name, "waits", [column], if_not_exists=True, **_where(condition))
    op.create_table(
        "waits_for",
        sa.Column("wait_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("on_id", sa.Uuid(), nullable=False),
        sa.Column("condition", sa.String(16), nullable=False),
        sa.Column("met", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.CheckConstraint("kind IN ('job', 'batch')", name=op.f("ck_waits_for_kind_is_known")),
        sa.CheckConstraint("condition IN ('succeeded', 'ended')", name=op.f("ck_waits_for_condition_is_known")),
        sa.ForeignKeyConstraint(["wait_id"], ["waits.id"], name=op.f("fk_waits_for_wait_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("wait_id", "position", name=op.f("pk_waits_for")),
        if_not_exists=True,
    )
    op.create_index("ix_waits_for_on", "waits_for", ["on_id", "wait_id"], if_not_exists=True)
