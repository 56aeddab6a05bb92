"""An action that was asked for: on which jobs, and what the audit says of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from gradyard.jobs.api_keys import Scope
from gradyard.jobs.audit import Action
from gradyard.jobs.errors import BodyInvalid, CountChanged, SpecInvalid
from gradyard.jobs.identifiers import new_id
from gradyard.jobs.questions.read import question
from gradyard.jobs.submission.requests.changes import ActionRequest
from gradyard.store import audit
from gradyard.store.lifecycle.actions.asked import AskedJobs, Tally
from gradyard.store.queries.questions.counts import count_asked
from gradyard.store.queries.questions.without_curves import without_curves
from service.http.access.callers import Caller
from service.http.services import Services

AUDITED = {
    "cancel": Action.JOBS_CANCELLED, "retry": Action.JOBS_RETRIED, "delete": Action.JOBS_DELETED,
    "tag": Action.JOBS_TAGGED,
}  # fmt: skip


@dataclass
class AskedAction:
    """An action on all jobs of a question: what was asked, by whom, and what was done so far."""

    services: Services
    caller: Caller
    request: ActionRequest
    jobs: AskedJobs
    count: int
    tally: Tally
    entry_id: UUID | None = None

    @classmethod
    def begun(cls, services: Services, caller: Caller, request: ActionRequest) -> "AskedAction":
        """Count the jobs. Raises BodyInvalid where the question is not valid, CountChanged where they are others."""
        submitter = None if caller.may(Scope.ADMIN) else caller.actor
        with services.database.read() as connection:
            try:
                term = without_curves(connection, caller.project_id, question(request.where))
            except SpecInvalid as error:
                raise BodyInvalid(error.problems) from None
            jobs = AskedJobs(caller.project_id, term, new_id(), caller.actor, submitter)
            count = count_asked(connection, caller.project_id, jobs.question)
        if request.expected_count not in (None, count):
            raise CountChanged(count, request.expected_count)
        return cls(services, caller, request, jobs, count, Tally())

    def write(self, change: Callable[[Connection], Tally], in_one: Callable[..., Tally] | None = None) -> Tally:
        """Change some jobs and tell the audit of it, in one transaction, and return what was done.

        in_one: does that in place of `Database.begin`; it may call what it is given more than once.
        """

        def both(connection: Connection) -> Tally:
            told.clear()  # what an earlier try wrote was rolled back
            part = change(connection)
            if part.done:
                told.append(self._told(connection, self.tally.done + part.done))
            return part

        told: list[UUID] = []
        if in_one is not None:
            part = in_one(both)
        else:
            with self.services.database.begin() as connection:
                part = both(connection)
        self.tally += part
        self.entry_id = told[-1] if told else self.entry_id  # of the transaction that was committed
        return part

    def _told(self, connection: Connection, done: int) -> UUID:
        detail = f"{done:,} of {self.count:,} jobs; {self.request.where}"
        if self.entry_id is not None:
            audit.tell_more(connection, self.entry_id, detail)
            return self.entry_id
        done_by: dict[str, Any] = {"project_id": self.caller.project_id, "actor": self.caller.actor}
        return audit.note(connection, AUDITED[self.request.action], self.request.where, **done_by, detail=detail)
