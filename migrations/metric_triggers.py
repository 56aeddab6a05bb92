"""A trigger that tells the stage and the state of figures of metrics which an older version stores."""

from alembic import op
from sqlalchemy import text

NAME = "metric_summaries_begin"
_OF_ITS_JOB = ", ".join(
    f"{name} = (SELECT {name} FROM summaries WHERE job_id = NEW.job_id)" for name in ("stage", "state")
)
COMPLETE = f"UPDATE metric_summaries SET {_OF_ITS_JOB} WHERE job_id = NEW.job_id AND name = NEW.name;"
EVENT, CONDITION = "AFTER INSERT ON metric_summaries", "NEW.stage IS NULL"


def create_trigger() -> None:
    """Create the trigger; one that is there is made anew."""
    drop_trigger()
    if op.get_bind().dialect.name == "sqlite":
        op.execute(text(f"CREATE TRIGGER {NAME} {EVENT} WHEN {CONDITION} BEGIN {COMPLETE} END"))
        return
    body = f"BEGIN {COMPLETE} RETURN NULL; END"
    op.execute(text(f"CREATE OR REPLACE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"))
    op.execute(text(f"CREATE TRIGGER {NAME} {EVENT} FOR EACH ROW WHEN ({CONDITION}) EXECUTE FUNCTION {NAME}()"))


def drop_trigger() -> None:
    """Drop the trigger, where it is there."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(text(f"DROP TRIGGER IF EXISTS {NAME}"))
    else:
        op.execute(text(f"DROP TRIGGER IF EXISTS {NAME} ON metric_summaries"))
        op.execute(text(f"DROP FUNCTION IF EXISTS {NAME}()"))
