"""Proves from the rows that jobs kept the order that they asked for (I15)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, select

from gradyard.jobs.events import EventKind
from gradyard.jobs.specs.dependencies import Condition
from gradyard.jobs.states import FINISHED, Reason, State
from gradyard.store.database import Database
from gradyard.store.tables import Job, WaitsFor
from tests.faults.checker import Verdict
from tests.faults.client import RequestLog
from tests.faults.rows import Rows


class Edge(NamedTuple):
    """A job or batch on which a job depends, and how that must end."""

    job: str
    on: str
    condition: str


class End(NamedTuple):
    """How a job ended, and when; `at` is None where it has not. replaceable: a retry of its batch counts instead."""

    job: str
    state: str
    at: float | None
    replaceable: bool = False


def check_dependencies(verdict: Verdict, log: RequestLog, rows: Rows, database: Database) -> None:
    """I15: no job ran before what it depends on had ended as asked; it fails with that alone; and none waits in vain.

    What jobs depend on is taken from the requests, and from the rows, which have that of retries.
    """
    of_job, members = defaultdict(list), defaultdict(list)
    for job in rows.jobs.values():
        members[str(job.batch_id)].append(job)
    for edge in {*_asked(log), *_stored(database)}:
        of_job[edge.job].append(edge)
    for job_id, edges in of_job.items():
        ends = {edge: list(_ends(log, rows, members, edge.on)) for edge in edges}
        if job_id in rows.jobs and all(ends.values()):
            _check(verdict, rows, rows.jobs[job_id], [(edge, end) for edge in edges for end in ends[edge]])


def _asked(log: RequestLog) -> Iterable[Edge]:
    for job_id, order in log.accepted.items():
        for each in order.spec.get("depends_on", ()):
            yield Edge(job_id, each["id"], each["condition"])


def _stored(database: Database) -> Iterable[Edge]:
    query = select(Job.id, WaitsFor.on_id, WaitsFor.condition).join(WaitsFor, WaitsFor.wait_id == Job.wait_id)
    with database.read() as connection:
        return [Edge(str(row.id), str(row.on_id), row.condition) for row in connection.execute(query)]


def _ends(log: RequestLog, rows: Rows, members: dict[str, list[Row[Any]]], on: str) -> Iterable[End]:
    """The ends of the job or batch of that id. Of one that was deleted, as the client saw it; else none."""
    if on in log.told.ended:
        state, at = log.told.ended[on]
        yield End(on, state, at)
        return
    for job in [rows.jobs[on]] if on in rows.jobs else members[on]:
        end = next((each for each in rows.events.get(str(job.id), []) if each.to_state in FINISHED), None)
        yield End(str(job.id), job.state, end.at if end else None, job.replaced_by is not None)


def _check(verdict: Verdict, rows: Rows, job: Row[Any], ends: Sequence[tuple[Edge, End]]) -> None:
    events = rows.events.get(str(job.id), [])
    begin = next((each for each in events if each.kind == EventKind.CLAIMED), None)
    bad = [
        end for edge, end in ends
        if edge.condition == Condition.SUCCEEDED and end.state in FINISHED - {State.SUCCEEDED} and not end.replaceable
    ]  # fmt: skip
    if begin is not None:
        for end in (end for _, end in ends if end.at is None or end.at > begin.at):
            verdict.add("I15", f"{job.id} was claimed before {end.job} had ended, on which it depends")
        for end in bad:
            verdict.add("I15", f"{job.id} was claimed, though {end.job} {end.state}, on which it depends")
        return
    if job.state == State.CANCELLED:
        return
    have_ended = all(end.at is not None for _, end in ends)
    has_failed = job.reason == Reason.UPSTREAM_FAILED
    if has_failed and not bad and have_ended and not any(end.replaceable for _, end in ends):
        verdict.add("I15", f"{job.id} failed with what it depends on, though all of that ended as asked")
    if has_failed or not have_ended:
        return
    if bad:
        verdict.add("I15", f"{job.id} is {job.state}, though {bad[0].job} {bad[0].state}, on which it depends")
    elif {event.kind for event in events} <= {EventKind.SUBMITTED}:
        verdict.add("I15", f"{job.id} waits, though all that it depends on has ended")
