"""Projects side by side: their jobs by state, the newest of these, and their keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, union_all

from gradyard.jobs.states import State
from gradyard.store.lifecycle.api_keys import is_live
from gradyard.store.tables import IS_QUEUED, IS_RUNNING, ApiKey, Job, JobSummary, Project


@dataclass(frozen=True)
class ProjectAtWork:
    """A project: how many of its jobs are in each state, its newest job (None: it has none), its keys that open it."""

    name: str
    counts: Mapping[str, int]
    newest_job: UUID | None
    live_keys: int

    @property
    def jobs(self) -> int:
        """How many jobs it has."""
        return sum(self.counts.values())


def projects_at_work(connection: Connection) -> list[ProjectAtWork]:
    """Every project, the one with the newest job first, those without jobs last. It counts all jobs."""
    counts: dict[int, dict[str, int]] = {}
    for project_id, state, count in connection.execute(_counts):
        counts.setdefault(project_id, {})[state] = count
    found = [
        ProjectAtWork(name, dict.fromkeys(State, 0) | counts.get(project_id, {}), newest, keys)
        for project_id, name, newest, keys in connection.execute(_projects)
    ]
    return sorted(found, key=lambda each: (each.newest_job is not None, each.newest_job or UUID(int=0)), reverse=True)


def _live(condition: Any) -> Any:
    return select(Job.project_id, Job.state, func.count()).where(condition).group_by(Job.project_id, Job.state)


_counts: Any = union_all(
    select(JobSummary.project_id, JobSummary.state, func.count())
    .where(JobSummary.state.is_not(None)).group_by(JobSummary.project_id, JobSummary.state),
    _live(IS_QUEUED), _live(IS_RUNNING),
)  # fmt: skip
_newest = select(Job.id).where(Job.project_id == Project.id).order_by(Job.id.desc()).limit(1).scalar_subquery()
_keys = select(func.count()).select_from(ApiKey).where(ApiKey.project_id == Project.id, is_live).scalar_subquery()
_projects = select(Project.id, Project.name, _newest, _keys).order_by(Project.name)
