"""Jobs of a question are submitted anew, as the retry of a single job does it: those that have ended, all or none."""

from collections import Counter
from contextlib import nullcontext
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from gradyard.jobs.errors import BodyInvalid, FieldProblem
from gradyard.jobs.states import FINISHED
from gradyard.jobs.submission.batches import LARGE_JOBS
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.store import fleet
from gradyard.store.lifecycle.actions.asked import Tally
from gradyard.store.lifecycle.actions.delete import UNFINISHED
from gradyard.store.lifecycle.actions.retry import RetriedJobs, retry_jobs, stored_specs
from gradyard.store.queries.questions.pages import ids_asked
from gradyard.store.retention.quota import check_storage_quota
from service.actions.asked import AskedAction
from service.garbage_collector import collector_at_rest
from service.large_batches import large_batch_alone
from service.submission import parse_again, ring_for

SLICE = 500  # jobs of one look


def retry_all(action: AskedAction, key: str | None, asked: str) -> bool:
    """Retry them under the idempotency key, and ring for them. Returns whether an earlier request had done it.

    asked: the SHA-256 of what the key stands for. Raises BodyInvalid where they are more than one batch may have,
    SpecInvalid where the changes do not fit one of them.
    """
    services = action.services
    _check_size(action.count, services.settings.max_batch_jobs)
    with large_batch_alone() if action.count > LARGE_JOBS else nullcontext(), collector_at_rest():
        ended, action.tally = _ended(action)
        parsed = parse_again(ended, action.request.changes or {}, services.settings)
        if not parsed:
            return False
        with services.database.read() as connection:
            idle = fleet.idle_slots(connection)
        done = _submitted(action, parsed, key, asked)
        if done.replayed:
            action.tally = Tally(done.jobs)
        else:
            ring_for(list(parsed.values()), idle)
        return done.replayed


def _check_size(count: int, most: int) -> None:
    if count > most:
        message = f"{count:,} jobs satisfy it; at most {most:,} can be retried at once"
        raise BodyInvalid([FieldProblem("/where", message)])


def _submitted(action: AskedAction, parsed: dict[UUID, ParsedJob], key: str | None, asked: str) -> RetriedJobs:
    """Store the new jobs, in one transaction, and tell the audit of them."""
    done: list[RetriedJobs] = []
    settings, jobs = action.services.settings, action.jobs

    def change(connection: Connection) -> Tally:
        check_storage_quota(connection, jobs.project_id, settings.max_stored_bytes, key)
        done.append(retry_jobs(
            connection, parsed, project_id=jobs.project_id, actor=jobs.actor, max_queued=settings.max_queued_jobs,
            key=key, asked=asked,
        ))  # fmt: skip
        return Tally(0 if done[-1].replayed else done[-1].jobs)

    action.write(change)
    return done[-1]


def _ended(action: AskedAction) -> tuple[list[Row[Any]], Tally]:
    """The jobs of the question that have ended, and how many others are left alone."""
    rows, before = list[Row[Any]](), action.jobs.before
    while True:
        with action.services.database.read() as connection:
            found = ids_asked(connection, action.jobs.project_id, action.jobs.question, limit=SLICE, before=before)
            rows += stored_specs(connection, found.ids)
        if found.looked_to is None:
            break
        before = found.looked_to
    ended = sorted((row for row in rows if row.state in FINISHED), key=lambda row: row.id)
    return ended, Tally(0, +Counter({UNFINISHED: len(rows) - len(ended)}))
