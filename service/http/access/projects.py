"""Whose things a request may reach: those of its key's project, or of the project that an operator names."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row
from werkzeug.exceptions import Forbidden

from gradyard.jobs.api_keys import Scope
from gradyard.store import queries
from service.http.access.callers import Caller, current_caller
from service.http.services import current_services


def in_project(caller: Caller, name: str) -> Caller:
    """The caller as one of the project that `?project=` names.

    Raises Forbidden where it is another than its own and the caller is no operator, NotFound where there is none.
    """
    if name == caller.project:
        return caller
    if not caller.may(Scope.OPERATOR):
        raise Forbidden(f"only keys with the scope operator may name a project other than their own, {caller.project}")
    with current_services().database.read() as connection:
        number = queries.project_named(connection, name)
    return replace(caller, project_id=number, project=name)


def check_ownership_of_job(job: Row[Any], verb: str) -> None:
    """Raise Forbidden where another submitted the job, and the caller is no administrator of its project."""
    _check_ownership("job", job.submitted_by, verb)


def may_change(job: Row[Any]) -> bool:
    """Whether the caller may cancel, change and delete the job."""
    caller = current_caller()
    return caller.may(Scope.ADMIN) or (caller.may(Scope.JOBS_WRITE) and job.submitted_by == caller.actor)


def check_ownership_of_batch(connection: Connection, batch: Row[Any], verb: str) -> None:
    """Raise Forbidden where another submitted the batch, and the caller is no administrator of its project."""
    if not current_caller().may(Scope.ADMIN):
        _check_ownership("batch", queries.submitter_of_batch(connection, batch), verb)


def may_change_batch(connection: Connection, batch: Row[Any]) -> bool:
    """Whether the caller may cancel and delete the batch."""
    caller = current_caller()
    if caller.may(Scope.ADMIN):
        return True
    return caller.may(Scope.JOBS_WRITE) and queries.submitter_of_batch(connection, batch) == caller.actor


def _check_ownership(kind: str, submitter: str | None, verb: str) -> None:
    caller = current_caller()
    if caller.may(Scope.ADMIN) or submitter == caller.actor:
        return
    whose = f"{submitter} submitted the {kind}" if submitter else f"it is not known who submitted the {kind}"
    raise Forbidden(f"{whose}; to {verb} it takes that key, or one of the project with the scope admin")
