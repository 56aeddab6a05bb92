"""The audit."""

from pydantic import AwareDatetime, Field

from gradyard.jobs.audit import Action
from gradyard.shapes.base import Answer


class AuditEntry(Answer):
    """What a person or program did: with a key, a worker or a queue, or a deletion."""

    id: str
    at: AwareDatetime
    actor: str = Field(default="", description="`api:NAME@PROJECT`; `api` is the administrator")
    project: str = Field(default="", description="in which it was done")
    action: Action | str = Field(json_schema_extra={"enum": list(Action)})
    target: str = Field(default="", description="the id of a key, job or batch; a queue; what was drained")
    detail: str | None = None


class AuditLog(Answer):
    """Entries of the audit, the newest first. `next_cursor` asks for the next page; null on the last one."""

    entries: tuple[AuditEntry, ...]
    next_cursor: str | None
