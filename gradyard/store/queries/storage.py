"""What projects store, as maintenance last added it up, and which ended jobs they keep."""

from typing import Any

from sqlalchemy import Connection, Row, func, select

from gradyard.store.tables import File, Project, ProjectStorage, Retention

_files = select(func.count().label("files_rows"), func.sum(File.bytes).label("files_bytes"), File.project_id)
_files_by_project = _files.group_by(File.project_id).subquery()
_storage = (
    select(
        Project.id, Project.name, *ProjectStorage.__table__.columns,
        _files_by_project.c.files_rows, _files_by_project.c.files_bytes,
        *(column.label(f"retention_{column.name}") for column in Retention.__table__.columns),
    )
    .outerjoin(ProjectStorage, ProjectStorage.project_id == Project.id)
    .outerjoin(_files_by_project, _files_by_project.c.project_id == Project.id)
    .outerjoin(Retention, Retention.project_id == Project.id)
    .order_by(Project.name)
)  # fmt: skip


def storage_by_project(connection: Connection, project_id: int | None) -> list[Row[Any]]:
    """What a project (None: each of all) stores, with its rule; NULLs where nothing was added up, or no rule is set."""
    query = _storage if project_id is None else _storage.where(Project.id == project_id)
    return list(connection.execute(query))
