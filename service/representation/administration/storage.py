"""What projects store, as answers."""

from typing import Any

from sqlalchemy import Row

from gradyard import shapes
from gradyard.jobs.settings import Settings
from gradyard.jobs.storage import STORED
from gradyard.store.dialects import as_datetime


def storage_answer(row: Row[Any], settings: Settings) -> shapes.ProjectStorage:
    """What a project stores: zeros where it was not added up yet."""
    kinds = tuple(
        shapes.StoredOfKind.of(kind=kind, bytes=_figure(row, kind, "bytes"), rows=_figure(row, kind, "rows"))
        for kind in STORED
    )
    return shapes.ProjectStorage.of(
        project=row.name, bytes=sum(each.bytes for each in kinds), kinds=kinds,
        measured_at=as_datetime(row.measured_at), max_bytes=settings.max_stored_bytes,
        retention=retention_answer(row, settings),
    )  # fmt: skip


def retention_answer(row: Row[Any], settings: Settings, due: int | None = None) -> shapes.RetentionRule:
    """The rule of a project: its own, else that of the service. due: how many jobs it lets go now."""
    if row.retention_project_id is None:
        rule = vars(settings.retention_rule)
        return shapes.RetentionRule.of(**rule, set_for="service", set_at=None, set_by=None, due=due)
    return shapes.RetentionRule.of(
        days=row.retention_days, jobs=row.retention_jobs, bytes=row.retention_bytes, set_for="project",
        set_at=as_datetime(row.retention_set_at), set_by=row.retention_set_by, due=due,
    )  # fmt: skip


def _figure(row: Row[Any], kind: str, what: str) -> int:
    return int(getattr(row, f"{kind}_{what}") or 0)
