"""The audit is written: in the transaction of the action, so that there is no action without its entry."""

from uuid import UUID

from sqlalchemy import Connection, insert, update

from gradyard.jobs.audit import Action
from gradyard.jobs.identifiers import new_id
from gradyard.store.dialects import now, strip_unstorable
from gradyard.store.tables import AuditEntry

TARGET_LETTERS = 400


def note(
    connection: Connection, action: Action, target: str, *, project_id: int, actor: str, detail: str | None = None
) -> UUID:
    """Write down that `actor` did this to `target`. Returns the id of the entry."""
    entry_id = new_id()
    row = {"id": entry_id, "at": now(), "project_id": project_id, "actor": actor[:200], "action": action}
    row |= {"target": strip_unstorable(target)[:TARGET_LETTERS], "detail": strip_unstorable(detail) if detail else None}
    connection.execute(insert(AuditEntry).values(row))
    return entry_id


def tell_more(connection: Connection, entry_id: UUID, detail: str) -> None:
    """Let the entry of a long action, done in many transactions, say how far it has come by this one."""
    connection.execute(update(AuditEntry).where(AuditEntry.id == entry_id).values(detail=detail))
