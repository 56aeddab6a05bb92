"""The rules of projects: which jobs that have ended they keep."""

from sqlalchemy import Connection, delete, select

from gradyard.jobs.storage import RetentionRule
from gradyard.store.dialects import insert_or_replace, now
from gradyard.store.tables import Retention

_columns = (Retention.days, Retention.jobs, Retention.bytes)


def set_rule(connection: Connection, project_id: int, rule: RetentionRule, *, actor: str) -> None:
    """Let the project keep what the rule says, from the next round of maintenance on."""
    row = {"project_id": project_id, **vars(rule), "set_at": now(), "set_by": actor[:200]}
    connection.execute(insert_or_replace(connection, Retention).values(row))


def unset_rule(connection: Connection, project_id: int) -> bool:
    """Let the project keep what the service's settings say. False where it has no rule of its own."""
    return bool(connection.execute(delete(Retention).where(Retention.project_id == project_id)).rowcount)


def rule_of(connection: Connection, project_id: int, default: RetentionRule) -> RetentionRule:
    """The rule of one project: its own, else the default of the service."""
    row = connection.execute(select(*_columns).where(Retention.project_id == project_id)).first()
    return default if row is None else RetentionRule(*row)
