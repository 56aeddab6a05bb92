"""Summaries, parameters, tags and metrics of jobs in tables of their own, and the indexes of the few jobs that move.

Triggers fill the summaries of jobs that an older version submits or ends; `migrations.summary_rows` fills those of
the jobs that are there. On SQLite, NOT NULL is taken from a column as its manual says ("Making Other Kinds Of Table
Schema Changes"), since no row changes by that.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.online import add_column, create_index, edit_table
from migrations.summary_triggers import create_triggers, drop_triggers

revision = "0020_pre"
down_revision = "0019_pre"
branch_labels = None
depends_on = None

POOL, QUEUED = sa.text("coalesce(pool, '')"), sa.text("state = 'queued'")
QUEUED_IN_A_BATCH = sa.text("state = 'queued' AND batch_id IS NOT NULL")
RUNNING, CLAIMED = sa.text("state = 'running'"), sa.text("claim_id IS NOT NULL")
IN_A_BATCH = sa.text("batch_id IS NOT NULL")


def upgrade() -> None:
    add_column("jobs", sa.Column("any_device", sa.Boolean(), nullable=True))
    _let_steps_be_null()
    _create_parameters()
    _create_summaries()
    _create_tags_and_metrics()
    create_triggers()
    for name, columns, where in (
        ("ix_jobs_lanes", ["queue", POOL, "stage", sa.text("precedence DESC"), "rank", "id"], QUEUED),
        ("ix_jobs_queued_of_batch", ["batch_id", "id"], QUEUED_IN_A_BATCH),
        ("ix_jobs_running", ["batch_id", "id"], RUNNING),
        ("ix_jobs_claimed", ["claim_id"], CLAIMED),
    ):
        create_index(name, "jobs", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name in ("ix_jobs_claimed", "ix_jobs_running", "ix_jobs_queued_of_batch", "ix_jobs_lanes"):
        op.drop_index(name, "jobs")
    drop_triggers()
    for table in ("metric_summaries", "job_tags", "summaries", "job_parameters", "parameter_sets"):
        op.drop_table(table)
    if _on_sqlite():
        _edit_jobs("steps BIGINT,", "steps BIGINT NOT NULL,")
    else:
        op.alter_column("jobs", "steps", nullable=False)
    op.drop_column("jobs", "any_device")


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _let_steps_be_null() -> None:
    if _on_sqlite():
        _edit_jobs("steps BIGINT NOT NULL,", "steps BIGINT,")
    else:
        op.alter_column("jobs", "steps", nullable=True)


def _edit_jobs(before: str, after: str) -> None:
    edit_table("jobs", lambda text: text.replace(f" {before}", f" {after}").replace(f"\t{before}", f"\t{after}"))


def _of_job(table: str) -> list[Any]:
    """The columns of a row of a job, and their keys."""
    return [
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f(f"fk_{table}_job_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f(f"fk_{table}_project_id")),
    ]


def _create_summaries() -> None:
    table, unknown = "summaries", "is_known"
    op.create_table(
        table,
        *_of_job(table),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("stage", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=True),
        sa.Column("submitted_at", sa.Double(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("steps", "points")),
        sa.Column("degree", sa.Integer(), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("learning_rate", sa.Double(), nullable=True),
        sa.Column("parameters_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(16), nullable=True),
        sa.Column("reason", sa.String(16), nullable=True),
        sa.Column("queue", sa.String(8), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.Double(), nullable=True) for name in ("started_at", "finished_at")),
        sa.Column("steps_done", sa.BigInteger(), nullable=True),
        *(sa.Column(name, sa.Double(), nullable=True) for name in ("loss_first", "loss_last", "loss_min")),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("loss_min_step", "diverged_at")),
        *(sa.Column(name, sa.Double(), nullable=True) for name in ("setup_seconds", "train_seconds")),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in ("records", "pack_size")),
        sa.CheckConstraint("state IN ('succeeded', 'failed', 'cancelled')", name=op.f(f"ck_{table}_state_{unknown}")),
        sa.CheckConstraint(
            "reason IN ('error', 'diverged', 'timeout', 'out_of_memory', 'poison', 'invalid_data')",
            name=op.f(f"ck_{table}_reason_{unknown}"),
        ),
        sa.CheckConstraint("queue IN ('cpu', 'gpu', 'any')", name=op.f(f"ck_{table}_queue_{unknown}")),
        sa.CheckConstraint("(state IS NULL) = (finished_at IS NULL)", name=op.f(f"ck_{table}_ended_means_dated")),
        sa.ForeignKeyConstraint(["parameters_id"], ["parameter_sets.id"], name=op.f(f"fk_{table}_parameters_id")),
        sa.PrimaryKeyConstraint("job_id", name=op.f(f"pk_{table}")),
        if_not_exists=True,
    )
    for name, columns, where in (
        ("by_state", ["project_id", "state", "job_id"], None),
        ("by_stage", ["project_id", "stage", "state", "job_id"], None),
        ("of_batch", ["batch_id", "state", "job_id"], IN_A_BATCH),
        ("of_batch_by_stage", ["batch_id", "stage", "state", "job_id"], IN_A_BATCH),
        ("parameters_id", ["parameters_id"], None),
    ):
        op.create_index(f"ix_{table}_{name}", table, columns, if_not_exists=True,
                        sqlite_where=where, postgresql_where=where)  # fmt: skip


def _create_parameters() -> None:
    op.create_table(
        "parameter_sets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parameter_sets")),
        if_not_exists=True,
    )
    table = "job_parameters"
    op.create_table(
        table,
        sa.Column("set_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("number", sa.Double(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.CheckConstraint("(number IS NULL) <> (text IS NULL)", name=op.f(f"ck_{table}_a_number_or_a_text")),
        sa.ForeignKeyConstraint(["set_id"], ["parameter_sets.id"], name=op.f(f"fk_{table}_set_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("set_id", "name", name=op.f(f"pk_{table}")),
        if_not_exists=True,
    )
    for name in ("number", "text"):
        op.create_index(f"ix_{table}_{name}", table, ["name", name, "set_id"], if_not_exists=True)


def _create_tags_and_metrics() -> None:
    op.create_table(
        "job_tags",
        *_of_job("job_tags"),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "key", name=op.f("pk_job_tags")),
        if_not_exists=True,
    )
    op.create_index("ix_job_tags_newest", "job_tags", ["project_id", "key", "value", "job_id"], if_not_exists=True)
    op.create_table(
        "metric_summaries",
        *_of_job("metric_summaries"),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("last", sa.Double(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        *(column for name in ("min", "max") for column in (
            sa.Column(name, sa.Double(), nullable=True), sa.Column(f"{name}_step", sa.BigInteger(), nullable=True)
        )),
        sa.PrimaryKeyConstraint("job_id", "name", name=op.f("pk_metric_summaries")),
        if_not_exists=True,
    )  # fmt: skip
