"""Proves from the events that no project waits for the backlog of another (I10)."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row

from gradyard.jobs.events import EventKind
from gradyard.jobs.states import Reason, State
from tests.faults.checker import Verdict
from tests.faults.rows import Rows

MOST_HEADS = 16  # of other projects, before a job whose project has no other in the queue: one a flow, and one a slot
ONE_CLAIM_SECONDS = 0.05  # the events of one pack are written within this time


def check_fairness(verdict: Verdict, rows: Rows) -> None:
    """I10: a job that waits alone in its project starts within `MOST_HEADS` new packs of other projects."""
    for waiting, heads in _waits(rows):
        if heads > MOST_HEADS:
            verdict.add("I10", f"{waiting.id} waited while {heads} packs of other projects were claimed")


def _waits(rows: Rows) -> Iterator[tuple[Row[Any], int]]:
    """Each job that waited alone in its project and device class, and how many packs of others began meanwhile.

    A job that depends on others waits from its release on.
    """
    of_device = defaultdict(list)
    for job in rows.jobs.values():
        events = rows.events.get(str(job.id), [])
        if events and job.reason != Reason.UPSTREAM_FAILED:  # such a job waited for no worker
            released = next((event for event in events if event.kind == EventKind.RELEASED), events[0])
            first = next((event for event in events if event.to_state == State.RUNNING), None)
            left = first or next((event for event in events[1:] if event.to_state != State.QUEUED), None)
            until = left.at if left else float("inf")
            of_device[job.spec["device"]].append((job, released.at, until, first))
    for jobs in of_device.values():
        for job, begin, until, first in jobs:
            own = [each for each in jobs if each[0].project_id == job.project_id and each[0].id != job.id]
            if first is not None and not any(_takes_its_turn(job, begin, until, *each) for each in own):
                yield job, _packs([
                    claim for other, _, _, claim in jobs
                    if claim is not None and other.project_id != job.project_id and begin < claim.at < until
                ])  # fmt: skip


def _takes_its_turn(
    job: Row[Any], begin: float, until: float, other: Row[Any], came: float, left: float, _: Row[Any] | None
) -> bool:
    """Whether another job of the project was in the queue before this one, or was claimed before it by its priority."""
    goes_first = other.spec["priority"] > job.spec["priority"]
    return left >= begin and (came <= begin or (goes_first and came < until))


def _packs(claims: list[Row[Any]]) -> int:
    """How many packs these first claims of jobs belong to. Jobs that come back after a fault keep their early ranks."""
    packs, last = 0, dict[str, float]()
    for claim in sorted(claims, key=lambda each: each.at):
        packs += claim.at - last.get(claim.actor, float("-inf")) > ONE_CLAIM_SECONDS
        last[claim.actor] = claim.at
    return packs
