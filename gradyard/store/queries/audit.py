"""The audit, the newest entry first."""

from typing import Any

from sqlalchemy import Connection, Row, Select, select

from gradyard.jobs.audit import Action
from gradyard.store.queries.jobs import cursor_after, id_in
from gradyard.store.tables import AuditEntry, Project


def audit_newest_first(
    connection: Connection, project_id: int | None, *, limit: int, cursor: str | None = None,
    action: Action | None = None, actor: str | None = None,
) -> tuple[list[Row[Any]], str | None]:  # fmt: skip
    """A page of the audit of a project (None: of all), each entry with its `project`, and the cursor of the next page.

    Raises SpecInvalid where the cursor is not one that this service gave.
    """
    query: Select[Any] = select(*AuditEntry.__table__.columns, Project.name.label("project"))
    query = query.join(Project, Project.id == AuditEntry.project_id)
    wanted = {AuditEntry.project_id: project_id, AuditEntry.action: action, AuditEntry.actor: actor}
    query = query.where(*(column == value for column, value in wanted.items() if value is not None))
    if cursor is not None:
        query = query.where(AuditEntry.id < id_in(cursor))
    rows = list(connection.execute(query.order_by(AuditEntry.id.desc()).limit(limit + 1)))
    more = len(rows) > limit
    return rows[:limit], cursor_after(rows[limit - 1].id) if more else None
