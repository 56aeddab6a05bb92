"""Jobs of a question are submitted anew, as the retry of a single job does it: those that have ended, all or none."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from gradyard.jobs.errors import BodyInvalid, FieldProblem
from gradyard.jobs.states import FINISHED
from gradyard.jobs.submission.large import LARGE_JOBS
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.jobs.submission.retries import is_large_retry, parse_again
from gradyard.store import fleet
from gradyard.store.lifecycle.actions.asked import Tally
from gradyard.store.lifecycle.actions.delete import UNFINISHED
from gradyard.store.lifecycle.actions.retry import RetriedJobs, retry_jobs, stored_sizes, stored_specs
from gradyard.store.queries.questions.pages import ids_asked
from gradyard.store.retention.quota import check_storage_quota
from service.actions.asked import AskedAction
from service.files.of_caller import files_of_caller
from service.garbage_collector import collector_at_rest
from service.large_batches import large_batch_alone
from service.submission import ring_for

SLICE = 500  # jobs of one look


def retry_all(action: AskedAction, key: str | None, asked: str) -> bool:
    """Retry them under the idempotency key, and ring for them. Returns whether an earlier request had done it.

    asked: the SHA-256 of what the key stands for. Raises BodyInvalid where they are more than one batch may have,
    SpecInvalid where the changes do not fit one of them.
    """
    services = action.services
    _check_size(action.count, services.settings.max_batch_jobs)
    with ExitStack() as held, collector_at_rest():
        parsed = _parsed(action, held)
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


def _parsed(action: AskedAction, held: ExitStack) -> dict[UUID, ParsedJob]:
    """The jobs that have ended, to be stored anew. Where they are large, no other large batch is read while held."""
    settings, changes = action.services.settings, action.request.changes or {}
    if are_many := action.count > LARGE_JOBS:
        held.enter_context(large_batch_alone())
    ended, stored_bytes, action.tally = _ended(action)
    if is_large_retry(len(ended), stored_bytes, changes, settings) and not are_many:
        held.enter_context(large_batch_alone())
    return parse_again(_specs(action, ended), changes, settings, files_of_caller)


def _submitted(action: AskedAction, parsed: dict[UUID, ParsedJob], key: str | None, asked: str) -> RetriedJobs:
    """Store the new jobs, in one transaction, and tell the audit of them."""
    done: list[RetriedJobs] = []
    settings, jobs = action.services.settings, action.jobs

    def change(connection: Connection) -> Tally:
        check_storage_quota(connection, jobs.project_id, settings.max_stored_bytes, key)
        done.append(retry_jobs(
            connection, parsed, project_id=jobs.project_id, actor=jobs.actor, max_queued=settings.max_queued_jobs,
            key=key, asked=asked, max_queued_of_key=settings.max_key_queued_jobs,
        ))  # fmt: skip
        return Tally(0 if done[-1].replayed else done[-1].jobs)

    action.write(change)
    return done[-1]


def _ended(action: AskedAction) -> tuple[list[UUID], int, Tally]:
    """The jobs of the question that have ended, the bytes of their specs, and how many others are left alone."""
    ended, spec_bytes, unfinished, before = list[UUID](), 0, 0, action.jobs.before
    while True:
        with action.services.database.read() as connection:
            found = ids_asked(connection, action.jobs.project_id, action.jobs.question, limit=SLICE, before=before)
            rows = stored_sizes(connection, found.ids)
        finished = [row for row in rows if row.state in FINISHED]
        ended += (row.id for row in finished)
        spec_bytes += sum(row.spec_bytes for row in finished)
        unfinished += len(rows) - len(finished)
        if found.looked_to is None:
            return sorted(ended), spec_bytes, Tally(0, +Counter({UNFINISHED: unfinished}))
        before = found.looked_to


def _specs(action: AskedAction, job_ids: list[UUID]) -> Iterator[Row[Any]]:
    """Their specs, some at a time."""
    for begin in range(0, len(job_ids), SLICE):
        with action.services.database.read() as connection:
            rows = stored_specs(connection, job_ids[begin : begin + SLICE])
        yield from rows
