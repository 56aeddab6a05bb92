"""What projects store, as maintenance last added it up, and which ended jobs they keep."""

from typing import Any

from sqlalchemy import Connection, Row, select

from gradyard.store.tables import Project, ProjectStorage, Retention

_storage = (
    select(
        Project.id, Project.name, *ProjectStorage.__table__.columns,
        *(column.label(f"retention_{column.name}") for column in Retention.__table__.columns),
    )
    .outerjoin(ProjectStorage, ProjectStorage.project_id == Project.id)
    .outerjoin(Retention, Retention.project_id == Project.id)
    .order_by(Project.name)
)  # fmt: skip


def storage_by_project(connection: Connection, project_id: int | None) -> list[Row[Any]]:
    """What a project (None: each of all) stores, with its rule; NULLs where nothing was added up, or no rule is set."""
    query = _storage if project_id is None else _storage.where(Project.id == project_id)
    return list(connection.execute(query))
