"""Triggers that fill the summaries of jobs which an older version submits or ends, while both versions run."""

from alembic import op
from sqlalchemy import text

COPIED = ("project_id", "batch_id", "stage", "name", "submitted_at", "steps")
FINAL = (
    "state", "reason", "queue", "attempt", "started_at", "finished_at", "steps_done", "loss_first", "loss_last",
    "loss_min", "loss_min_step", "diverged_at", "setup_seconds", "train_seconds", "records", "pack_size",
)  # fmt: skip
BEGIN = (
    f"INSERT INTO summaries (job_id, {', '.join(COPIED)}) "
    f"VALUES (NEW.id, {', '.join(f'NEW.{name}' for name in COPIED)});"
)
END = f"UPDATE summaries SET {', '.join(f'{name} = NEW.{name}' for name in FINAL)} WHERE job_id = NEW.id;"
# The present version says for each new job whether it is for any device, and stores its summary itself.
TRIGGERS = (
    ("summaries_begin", "AFTER INSERT ON jobs", "NEW.any_device IS NULL", BEGIN),
    ("summaries_end", "AFTER UPDATE OF state ON jobs", "NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL", END),
)


def create_triggers() -> None:
    """Create the triggers; those that are there are made anew."""
    drop_triggers()
    for name, event, condition, statement in TRIGGERS:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(text(f"CREATE TRIGGER {name} {event} WHEN {condition} BEGIN {statement} END"))
            continue
        body = f"BEGIN {statement} RETURN NULL; END"
        op.execute(text(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"))
        op.execute(text(
            f"CREATE TRIGGER {name} {event} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {name}()"
        ))  # fmt: skip


def drop_triggers() -> None:
    """Drop the triggers, where they are there."""
    for name, *_ in TRIGGERS:
        if op.get_bind().dialect.name == "sqlite":
            op.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
        else:
            op.execute(text(f"DROP TRIGGER IF EXISTS {name} ON jobs"))
            op.execute(text(f"DROP FUNCTION IF EXISTS {name}()"))
