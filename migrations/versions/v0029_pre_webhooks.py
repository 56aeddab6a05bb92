"""Webhooks, the outbox of what they are to tell, and their messages.

The end of a job goes into the outbox by a trigger: every way to an end comes through that column, an older version's
processes included, which go on while this one is rolled out.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.online import add_column, widen_check

revision = "0029_pre"
down_revision = "0028_pre"
branch_labels = None
depends_on = None

ACTIONS = (
    "key_created", "key_rotated", "key_revoked", "drained", "undrained", "paused", "resumed", "job_deleted",
    "batch_deleted", "job_changed", "jobs_cancelled", "jobs_retried", "jobs_deleted", "jobs_tagged", "retention_set",
    "jobs_expired", "webhook_created", "webhook_changed", "webhook_rotated", "webhook_deleted", "webhook_resent",
)  # fmt: skip
WAITING: dict[str, Any] = {
    "sqlite_where": sa.text("state = 'waiting'"),
    "postgresql_where": sa.text("state = 'waiting'"),
}

COPIED = ("project_id", "batch_id", "stage", "name", "tags", "state", "reason", "message", "submitted_at", "started_at",
          "steps", "steps_done", "loss_last", "loss_min")  # fmt: skip
HAS_ENDED = "NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL"
# Most projects have no webhook, and pay for this look alone.
IS_ASKED_FOR = "EXISTS (SELECT 1 FROM webhooks WHERE project_id = NEW.project_id AND enabled)"
NOTE = (
    f"INSERT INTO webhook_notices (kind, at, ends_batch, job_id, {', '.join(COPIED)}) "
    f"VALUES ('job', NEW.finished_at, NEW.batch_id IS NOT NULL, NEW.id, {', '.join(f'NEW.{name}' for name in COPIED)});"
)
CREATED = {
    "sqlite": (
        f"CREATE TRIGGER jobs_end_in_the_outbox AFTER UPDATE OF state ON jobs WHEN {HAS_ENDED} AND {IS_ASKED_FOR} "
        f"BEGIN {NOTE} END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION note_end_of_job() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {IS_ASKED_FOR} THEN {NOTE} END IF; RETURN NULL; END $$",
        "CREATE TRIGGER jobs_end_in_the_outbox AFTER UPDATE OF state ON jobs FOR EACH ROW "
        f"WHEN ({HAS_ENDED}) EXECUTE FUNCTION note_end_of_job()",
    ),
}
DROPPED = {
    "sqlite": ("DROP TRIGGER IF EXISTS jobs_end_in_the_outbox",),
    "postgresql": (
        "DROP TRIGGER IF EXISTS jobs_end_in_the_outbox ON jobs",
        "DROP FUNCTION IF EXISTS note_end_of_job()",
    ),
}


def upgrade() -> None:
    _create_webhooks()
    _create_notices()
    _create_deliveries()
    add_column("workers", sa.Column("lost_lease", sa.Double(), nullable=True))
    widen_check("audit", "action", ACTIONS)
    for statement in (DROPPED[_dialect()][0], *CREATED[_dialect()]):
        op.execute(statement)


def downgrade() -> None:
    for statement in DROPPED[_dialect()]:
        op.execute(statement)
    op.drop_column("workers", "lost_lease")
    for table in ("webhook_deliveries", "webhook_notices", "webhooks"):
        op.drop_table(table)


def _dialect() -> str:
    return op.get_bind().dialect.name


def _create_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("description", sa.String(500), nullable=True),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("batch_members", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.String(200), nullable=False),
        sa.Column("earlier_secret", sa.String(200), nullable=True),
        _time("earlier_until"),
        _time("created_at", nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("spans", sa.JSON(), nullable=False),
        _time("disabled_at"),
        sa.Column("disabled_because", sa.Text(), nullable=True),
        _time("delivered_at"),
        _time("failing_since"),
        sa.Column("failures", sa.Integer(), nullable=False),
        _time("paused_until"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_webhooks_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        if_not_exists=True,
    )
    op.create_index("ix_webhooks_of_project", "webhooks", ["project_id", "id"], if_not_exists=True)


def _create_notices() -> None:
    op.create_table(
        "webhook_notices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        _time("at", nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("ends_batch", sa.Boolean(), nullable=False),
        sa.Column("stage", sa.String(64), nullable=True),
        sa.Column("name", sa.String(200), nullable=True),
        sa.Column("tags", sa.JSON(), nullable=True),
        sa.Column("state", sa.String(16), nullable=True),
        sa.Column("reason", sa.String(32), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        _time("submitted_at"),
        _time("started_at"),
        sa.Column("steps", sa.BigInteger(), nullable=True),
        sa.Column("steps_done", sa.BigInteger(), nullable=True),
        sa.Column("loss_last", sa.Double(), nullable=True),
        sa.Column("loss_min", sa.Double(), nullable=True),
        sa.Column("about", sa.JSON(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('job', 'worker_lost', 'worker_drained')", name=op.f("ck_webhook_notices_kind_is_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_notices")),
        sqlite_autoincrement=True,
        if_not_exists=True,
    )
    op.create_index("ix_webhook_notices_of_batch", "webhook_notices", ["batch_id"], if_not_exists=True)


def _create_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        _time("created_at", nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        _time("next_at"),
        sa.Column("lease", sa.Uuid(), nullable=True),
        _time("tried_at"),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'failed')", name=op.f("ck_webhook_deliveries_state_is_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        if_not_exists=True,
    )
    table = "webhook_deliveries"
    op.create_index("ix_webhook_deliveries_newest", table, ["webhook_id", "id"], if_not_exists=True)
    op.create_index("ix_webhook_deliveries_due", table, ["webhook_id", "next_at", "id"], if_not_exists=True, **WAITING)
    op.create_index("ix_webhook_deliveries_oldest", table, ["created_at"], if_not_exists=True)


def _time(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Double(), nullable=nullable)
