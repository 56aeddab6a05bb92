"""What slots train: the first job of each claim."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, func, select

from gradyard.store.tables import Job, Project

_place = func.row_number().over(partition_by=Job.claim_id, order_by=Job.id).label("place")
_members = (
    select(Job.claim_id, Job.id, Job.stage, Job.name, Job.steps, Job.steps_done, Job.project_id, _place)
    .where(Job.claim_id.in_(bindparam("claims", expanding=True)))
)  # fmt: skip


def heads_of_claims(connection: Connection, claims: Sequence[UUID], project_id: int | None) -> dict[UUID, Row[Any]]:
    """The first job of a project (None: of any) in each of these claims.

    Each with claim_id, id, stage, name, steps, steps_done and its project's name; a claim without one is left out.
    """
    if not claims:
        return {}
    those = (_members if project_id is None else _members.where(Job.project_id == project_id)).subquery()
    query = select(*those.c, Project.name.label("project")).join(Project, Project.id == those.c.project_id)
    rows: Iterable[Any] = connection.execute(query.where(those.c.place == 1), {"claims": list(claims)})
    return {row.claim_id: row for row in rows}
