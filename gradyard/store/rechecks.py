"""What a recheck has shown is written down once: its two jobs have ended, so it cannot become another."""

from uuid import UUID

from sqlalchemy import Connection, select

from gradyard.jobs.evidence.rechecks import Verdict
from gradyard.store.dialects import insert_or_ignore, now
from gradyard.store.tables import Job, Recheck


def keep_verdict(connection: Connection, project_id: int, recheck_id: UUID, verdict: Verdict) -> None:
    """Store what the comparison has shown. Where it is stored already, or the recheck was deleted, nothing changes."""
    there = select(Job.id).where(Job.id == recheck_id).with_for_update(read=True, key_share=True)
    if connection.execute(there).first() is None:
        return
    row = {
        "job_id": recheck_id, "project_id": project_id, "state": verdict.state,
        "first_different_step": verdict.first_different_step, "differs_in": list(verdict.differs_in),
        "conditions": {name: list(values) for name, values in verdict.conditions.items()},
        "message": verdict.message, "compared_at": now(),
    }  # fmt: skip
    connection.execute(insert_or_ignore(connection, Recheck).values(row))
