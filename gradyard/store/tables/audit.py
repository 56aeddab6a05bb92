"""What people did with keys, workers and queues, and what they deleted."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gradyard.jobs.audit import Action
from gradyard.store.tables.base import Table
from gradyard.store.tables.vocabularies import is_known


class AuditEntry(Table):
    """One action, by whom and on what. Entries outlive what they are about; nothing deletes them.

    Nothing changes them either, but for a run of retention: its entry tells how much it has deleted so far.
    """

    __tablename__ = "audit"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[float]
    project_id: Mapped[int] = mapped_column(Integer, ForeignKey("projects.id"))  # that of the caller, or of the key
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(24))
    target: Mapped[str] = mapped_column(String(400))  # an id, a queue, a host, SLOT@HOST or a UUID
    detail: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (is_known("action", Action), Index("ix_audit_of_project", "project_id", "id"))
