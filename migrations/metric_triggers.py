"""Triggers that set stage and state of the rows of `metric_summaries` which an older version stores."""

from alembic import op
from sqlalchemy import text

NAMES = {"metric_summaries_stored": "AFTER INSERT", "metric_summaries_stored_again": "AFTER UPDATE"}
CONDITION = "NEW.state IS NULL"
_OF_ITS_JOB = ", ".join(
    f"{name} = (SELECT {name} FROM summaries WHERE job_id = NEW.job_id)" for name in ("stage", "state")
)
# Only once the job has ended: else the row would be as before, and this its next trigger, without end.
_HAS_ENDED = "EXISTS (SELECT 1 FROM summaries WHERE job_id = NEW.job_id AND state IS NOT NULL)"
COMPLETE = f"UPDATE metric_summaries SET {_OF_ITS_JOB} WHERE job_id = NEW.job_id AND name = NEW.name AND {_HAS_ENDED};"


def create_triggers() -> None:
    """Create the triggers; those that are there are made anew."""
    drop_triggers()
    for name, event in NAMES.items():
        on_table = f"{event} ON metric_summaries"
        if op.get_bind().dialect.name == "sqlite":
            op.execute(text(f"CREATE TRIGGER {name} {on_table} WHEN {CONDITION} BEGIN {COMPLETE} END"))
            continue
        body = f"BEGIN {COMPLETE} RETURN NULL; END"
        op.execute(text(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"))
        op.execute(text(f"CREATE TRIGGER {name} {on_table} FOR EACH ROW WHEN ({CONDITION}) EXECUTE FUNCTION {name}()"))


def drop_triggers() -> None:
    """Drop the triggers, where they are there."""
    for name in NAMES:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
        else:
            op.execute(text(f"DROP TRIGGER IF EXISTS {name} ON metric_summaries"))
            op.execute(text(f"DROP FUNCTION IF EXISTS {name}()"))
