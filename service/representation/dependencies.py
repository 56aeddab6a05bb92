"""What a job depends on as an answer, and why it waits for that, in words."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from gradyard import shapes
from gradyard.jobs.specs.dependencies import Kind
from gradyard.store.queries.dependencies.targets import Target
from gradyard.store.queries.dependencies.waiting import Dependency, dependencies_of

MOST_NAMED = 2


def depends_on_of(connection: Connection, jobs: Sequence[Row[Any]]) -> dict[UUID, list[shapes.Dependency]]:
    """What each of these jobs depends on, with its state, by the job's id; without those that depend on nothing."""
    return {job_id: list(map(_answer, each)) for job_id, each in dependencies_of(connection, jobs).items()}


def _answer(each: Dependency) -> shapes.Dependency:
    return {
        "id": str(each.on.id), "kind": each.on.kind.value, "condition": each.condition.value, "state": each.on.state,
    }  # fmt: skip


def why_blocked(dependencies: Sequence[Dependency]) -> str:
    """Why a job that depends on these does not wait for a worker yet."""
    if not dependencies:
        return "what it depended on is no longer known; it fails within a minute"
    if any(each.on.met(each.condition) is False for each in dependencies):
        return "what it depends on did not succeed; it fails at this moment"
    left = [each.on for each in dependencies if not each.on.has_ended]
    if not left:
        return "what it depends on has ended; it is released at this moment"
    named = " and ".join(_words(each) for each in left[:MOST_NAMED])
    more = len(left) - MOST_NAMED
    return f"waits for {named}" + (f", and {more} more" if more > 0 else "")


def _words(target: Target) -> str:
    if target.kind is Kind.BATCH:
        return f"{target.left:,} of {target.size:,} jobs of batch {target.id}"
    return f"job {target.id} ({target.state})"
