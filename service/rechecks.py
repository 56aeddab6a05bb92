"""What a recheck has shown: compared at the first look after both jobs have ended, and written down."""

import logging
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from gradyard import shapes
from gradyard.jobs.errors import DatabaseUnavailable, NotFound
from gradyard.jobs.evidence.rechecks import RecheckState, Verdict
from gradyard.jobs.states import FINISHED
from gradyard.store import queries
from gradyard.store.database import Database
from gradyard.store.rechecks import keep_verdict

log = logging.getLogger(__name__)

WAITS = Verdict(RecheckState.WAITING, "one of the two jobs has not ended")


def recheck_answer(database: Database, job: Row[Any]) -> shapes.Recheck | None:
    """What a recheck has shown, for the job that is one or has one (of several the newest); None for other jobs.

    A job that is a recheck and has one shows what it is. The curves are read once, 0.1 s for 64 MiB each.
    """
    recheck_id: UUID | None = job.rechecked_by if job.recheck_of is None else job.id
    if recheck_id is None:
        return None
    found = _verdict(database, job.project_id, recheck_id) if job.state in FINISHED else WAITS
    if found is None:
        return None
    return {
        "of": str(job.recheck_of or job.id), "job": str(recheck_id), "state": found.state, "message": found.message,
        "first_different_step": found.first_different_step, "differs_in": list(found.differs_in),
        "conditions": {name: list(values) for name, values in found.conditions.items()},
    }  # fmt: skip


def _verdict(database: Database, project_id: int, recheck_id: UUID) -> Any:
    """The verdict: as it was written down, or as the comparison shows it now; None where the recheck was deleted."""
    with database.read() as connection:
        if (known := queries.verdict_on(connection, recheck_id)) is not None:
            return known
        try:
            verdict = queries.compare_recheck(connection, project_id, recheck_id)
        except NotFound:
            if queries.state_of(connection, project_id, recheck_id) is None:
                return None
            return Verdict(RecheckState.INCOMPARABLE, "the original was deleted before they were compared")
    if verdict is None:
        return WAITS
    _keep(database, project_id, recheck_id, verdict)
    return verdict


def _keep(database: Database, project_id: int, recheck_id: UUID, verdict: Verdict) -> None:
    try:
        with database.begin() as connection:
            keep_verdict(connection, project_id, recheck_id, verdict)
    except DatabaseUnavailable as error:  # it takes no writes; the next look compares again
        log.warning("the verdict on the recheck %s could not be written down: %s", recheck_id, error)
