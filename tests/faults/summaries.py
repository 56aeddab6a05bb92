"""I16: the summary of every job has what its row has, and none is missing or left over."""

from sqlalchemy import select

from gradyard.store.database import Database
from gradyard.store.summaries import FINAL
from gradyard.store.tables import Job, JobSummary
from tests.faults.checker import Verdict


def check_summaries(verdict: Verdict, database: Database) -> None:
    """Compare every summary with the row of its job, at rest."""
    with database.read() as connection:
        rows = {row.id: row for row in connection.execute(select(Job.__table__))}
        summaries = {row.job_id: row for row in connection.execute(select(JobSummary.__table__))}
    for job_id, row in rows.items():
        summary = summaries.get(job_id)
        wanted = [getattr(row, name) if row.finished_at is not None else None for name in FINAL]
        if summary is None or [getattr(summary, name) for name in FINAL] != wanted:
            verdict.add("I16", f"the summary of {job_id} ({row.state}) is {summary}")
