"""How many jobs a rule lets go. Days and jobs are counted where every job has a row, measured or not."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from gradyard.jobs.states import FINISHED
from gradyard.jobs.storage import RetentionRule
from gradyard.store.queries.questions.streams import stages_of
from gradyard.store.retention.due import DAY_SECONDS, beyond_bytes, pinned_of, stored_bytes
from gradyard.store.tables import JobSummary


def count_due(connection: Connection, project_id: int, rule: RetentionRule, *, at: float) -> int | None:
    """How many jobs the rule lets go in all. at: the database's time.

    None where it is not known: the rule is about bytes, and the project's jobs are not measured yet.
    """
    counts = [0]
    if rule.days is not None:
        counts.append(_ended(connection, project_id, JobSummary.finished_at < at - DAY_SECONDS * rule.days))
    if rule.jobs is not None:
        counts.append(_ended(connection, project_id) - rule.jobs)
    if rule.bytes is not None:
        beyond = _beyond_bytes(connection, project_id, rule.bytes)
        if beyond is None:
            return None
        counts.append(beyond)
    return max(counts)  # each part lets go the oldest


def _ended(connection: Connection, project_id: int, *more: ColumnElement[bool]) -> int:
    # Named one by one, stages and states lead into the index that has the times of ends.
    mine: list[Any] = [JobSummary.project_id == project_id, JobSummary.stage.in_(stages_of(connection, project_id)),
                       JobSummary.state.in_(sorted(FINISHED))]  # fmt: skip
    unpinned = JobSummary.job_id.not_in(pinned_of(project_id))
    return connection.execute(select(func.count()).select_from(JobSummary).where(*mine, unpinned, *more)).scalar_one()


def _beyond_bytes(connection: Connection, project_id: int, kept: int) -> int | None:
    together = stored_bytes(connection, project_id)
    if together is None:
        return None if _ended(connection, project_id) else 0
    if together <= kept:
        return 0  # a look at one row, where the statement below reads all
    beyond = beyond_bytes(project_id, kept)
    return connection.execute(select(func.count()).select_from(beyond.subquery())).scalar_one()
