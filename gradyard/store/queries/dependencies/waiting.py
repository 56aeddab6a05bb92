"""What jobs depend on, and how far that is; for answers and for reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, select

from gradyard.jobs.specs.dependencies import Condition, Kind
from gradyard.store.queries.dependencies.targets import Target, deleted, parts_of, targets
from gradyard.store.tables import WaitsFor


@dataclass(frozen=True)
class Dependency:
    """One job or batch that a job depends on, as it is now, and how it must end."""

    on: Target
    condition: Condition


def dependencies_of(connection: Connection, jobs: Sequence[Row[Any]]) -> dict[UUID, list[Dependency]]:
    """For each of these rows of `jobs` that depends on others, on what, in the order of its request; by its id.

    No query, where none does.
    """
    of_wait: dict[UUID, list[Any]] = {}
    for part in parts_of({job.wait_id for job in jobs if job.wait_id is not None}):
        for row in connection.execute(_edges, {"these": part}):
            of_wait.setdefault(row.wait_id, []).append(row)
    found = targets(connection, {row.on_id for rows in of_wait.values() for row in rows})
    shown = {wait_id: [_dependency(row, found) for row in rows] for wait_id, rows in of_wait.items()}
    return {job.id: shown[job.wait_id] for job in jobs if job.wait_id in shown}


def _dependency(edge: Any, found: Mapping[UUID, Target]) -> Dependency:
    return Dependency(found.get(edge.on_id) or deleted(edge.on_id, Kind(edge.kind)), Condition(edge.condition))


_edges = (
    select(WaitsFor.wait_id, WaitsFor.kind, WaitsFor.on_id, WaitsFor.condition)
    .where(WaitsFor.wait_id.in_(bindparam("these", expanding=True))).order_by(WaitsFor.wait_id, WaitsFor.position)
)  # fmt: skip
