"""What the caller of a request did is written into the audit."""

from sqlalchemy import Connection

from gradyard.jobs.audit import Action
from gradyard.store import audit
from service.http.access.callers import current_caller


def note(connection: Connection, action: Action, target: object, detail: str | None = None) -> None:
    """Write down that the caller did this, in the transaction that does it."""
    caller = current_caller()
    audit.note(connection, action, str(target), project_id=caller.project_id, actor=caller.actor, detail=detail)
