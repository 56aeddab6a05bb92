"""Counters have the names of `FleetCounter`, and keep what they have counted."""

from alembic import op

revision = "0012_pre"
down_revision = "0011_pre"
branch_labels = None
depends_on = None

RENAMED = {"jobs": "jobs_finished", "lease_losses": "leases_lost"}


def upgrade() -> None:
    for old, new in RENAMED.items():
        op.execute(f"UPDATE counters SET name = '{new}' WHERE name = '{old}'")


def downgrade() -> None:
    for old, new in RENAMED.items():
        op.execute(f"UPDATE counters SET name = '{old}' WHERE name = '{new}'")
