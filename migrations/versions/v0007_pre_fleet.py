"""Room for what a fleet is asked and told: holds, counters, what each worker does, and what each job costs."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007_pre"
down_revision = "0006_pre"
branch_labels = None
depends_on = None

GAUGES: dict[str, sa.types.TypeEngine[Any]] = {
    "steps_per_second": sa.Double(), "jobs_per_second": sa.Double(), "utilization_percent": sa.Double(),
    "temperature_celsius": sa.Double(), "memory_used_mib": sa.Integer(),
}  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("name", sa.String(320), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_holds")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("counted_by", sa.String(320), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "counted_by", name=op.f("pk_counters")),
    )
    for name, kind in GAUGES.items():
        op.add_column("workers", sa.Column(name, kind, nullable=True))
    op.add_column("jobs", sa.Column("cost_seconds", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "cost_seconds")
    for name in GAUGES:
        op.drop_column("workers", name)
    op.drop_table("counters")
    op.drop_table("holds")
