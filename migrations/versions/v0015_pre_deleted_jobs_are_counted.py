"""Finished jobs are counted when they are deleted, so that the count of all that ever finished never falls."""

from alembic import op

revision = "0015_pre"
down_revision = "0014_pre"
branch_labels = None
depends_on = None

# A trigger, so that no way of deleting can forget it. On PostgreSQL one for each statement, which takes the counters in
# one order: two deletions at once do not wait for each other in a circle.
UPGRADE = {
    "sqlite": (
        """
        CREATE TRIGGER deleted_jobs_are_counted AFTER DELETE ON jobs
        WHEN OLD.state IN ('succeeded', 'failed', 'cancelled')
        BEGIN
          INSERT INTO counters (name, counted_by, total) VALUES ('deleted_' || OLD.state, OLD.stage, 1)
          ON CONFLICT (name, counted_by) DO UPDATE SET total = total + 1;
        END
        """,
    ),
    "postgresql": (
        """
        CREATE OR REPLACE FUNCTION count_deleted_jobs() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
          INSERT INTO counters (name, counted_by, total)
          SELECT 'deleted_' || state, stage, count(*) FROM gone
          WHERE state IN ('succeeded', 'failed', 'cancelled') GROUP BY state, stage ORDER BY state, stage
          ON CONFLICT (name, counted_by) DO UPDATE SET total = counters.total + excluded.total;
          RETURN NULL;
        END $$
        """,
        """
        CREATE TRIGGER deleted_jobs_are_counted AFTER DELETE ON jobs REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION count_deleted_jobs()
        """,
    ),
}
DOWNGRADE = {
    "sqlite": ("DROP TRIGGER deleted_jobs_are_counted",),
    "postgresql": ("DROP TRIGGER deleted_jobs_are_counted ON jobs", "DROP FUNCTION count_deleted_jobs()"),
}


def upgrade() -> None:
    for statement in UPGRADE[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE[op.get_bind().dialect.name]:
        op.execute(statement)
