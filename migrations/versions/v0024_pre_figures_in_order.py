"""Indexes of the figures by which ended jobs are put in order, and of names."""

import sqlalchemy as sa

from migrations.online import create_index, drop_index

revision = "0024_pre"
down_revision = "0023_pre"
branch_labels = None
depends_on = None

FIGURES = ("loss_min", "loss_last", "finished_at", "train_seconds")
OF_METRICS = ("last", "min", "max")


def upgrade() -> None:
    for figure in FIGURES:
        columns = ["project_id", "stage", "state", figure, "job_id"]
        _create(f"ix_summaries_by_{figure}", "summaries", columns, f"{figure} IS NOT NULL")
    _create("ix_summaries_by_name", "summaries", ["project_id", "name", "job_id"], "name IS NOT NULL")
    for figure in OF_METRICS:
        columns = ["project_id", "name", figure, "job_id"]
        create_index(f"ix_metric_summaries_by_{figure}", "metric_summaries", columns)
    _create("ix_jobs_waiting_again", "jobs", ["project_id", "id"], "state = 'queued' AND attempt > 0")


def _create(name: str, table: str, columns: list[str], where: str) -> None:
    create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def downgrade() -> None:
    drop_index("ix_jobs_waiting_again", "jobs")
    for figure in OF_METRICS:
        drop_index(f"ix_metric_summaries_by_{figure}", "metric_summaries")
    for name in ("name", *FIGURES):
        drop_index(f"ix_summaries_by_{name}", "summaries")
