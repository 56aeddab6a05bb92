"""Proves from the rows that jobs kept the order that they asked for (I15)."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from gradyard.jobs.events import EventKind
from gradyard.jobs.specs.dependencies import Condition
from gradyard.jobs.states import FINISHED, State
from gradyard.store.database import Database
from gradyard.store.tables import Job, WaitsFor
from tests.faults.checker import Verdict
from tests.faults.rows import Rows


def check_dependencies(verdict: Verdict, rows: Rows, database: Database) -> None:
    """I15: no job ran before what it depends on had ended as asked, and none waits once all of that has ended."""
    query = select(Job.id, WaitsFor.on_id, WaitsFor.condition).join(WaitsFor, WaitsFor.wait_id == Job.wait_id)
    with database.read() as connection:
        edges = connection.execute(query).all()
    waits: dict[UUID, list[bool]] = {}
    for edge in edges:
        before = _jobs_of(rows, edge.on_id)
        _check_order(verdict, rows, edge, before)
        waits.setdefault(edge.id, []).append(any(job.state not in FINISHED for job in before))
    for job_id, left in waits.items():
        job = rows.jobs.get(str(job_id))
        moved = {event.kind for event in rows.events.get(str(job_id), [])} - {EventKind.SUBMITTED}
        if job is not None and job.state == State.QUEUED and not moved and not any(left):
            verdict.add("I15", f"{job_id} waits, though all that it depends on has ended")


def _check_order(verdict: Verdict, rows: Rows, edge: Any, before: list[Row[Any]]) -> None:
    begin = next((each for each in rows.events.get(str(edge.id), []) if each.kind == EventKind.CLAIMED), None)
    if begin is None:
        return
    for job in before:
        end = next((each for each in rows.events.get(str(job.id), []) if each.to_state in FINISHED), None)
        if end is None or end.at > begin.at:
            verdict.add("I15", f"{edge.id} was claimed before {job.id} had ended, on which it depends")
        elif edge.condition == Condition.SUCCEEDED and job.state != State.SUCCEEDED and job.replaced_by is None:
            verdict.add("I15", f"{edge.id} was claimed, though {job.id} {job.state}, on which it depends")


def _jobs_of(rows: Rows, on_id: UUID) -> list[Row[Any]]:
    """The job of that id, or the jobs of that batch."""
    if str(on_id) in rows.jobs:
        return [rows.jobs[str(on_id)]]
    return [job for job in rows.jobs.values() if job.batch_id == on_id]
