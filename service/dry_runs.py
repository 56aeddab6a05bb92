"""Submissions that are checked and not stored: what the job or batch would be.

All is checked that follows from the request: specs, limits, what they depend on. Whether there is room in the queue is
known only when they are stored.
"""

from collections.abc import Iterable, Mapping

from flask import Response

from gradyard import shapes
from gradyard.jobs.submission.batches import ParsedBatch
from gradyard.jobs.submission.parse import ParsedJob
from gradyard.store.lifecycle.dependencies.of_requests import of_job, of_members
from service.http.json_response import json_response
from service.http.requests import idempotency_key
from service.http.services import current_services
from service.submission import caller_for


def job_checked(parsed: ParsedJob, precedence: int) -> Response:
    """200 with what the job would be. Raises SpecInvalid where what it depends on is not there or did not succeed."""
    project = _project(precedence)
    with current_services().database.read() as connection:
        of_job(connection, project, parsed, None)
    warnings = tuple(parsed.warnings)
    return json_response(shapes.JobChecked.of(spec=parsed.as_json, resolved=parsed.resolved, warnings=warnings))


def batch_checked(parsed: ParsedBatch, precedence: int) -> Response:
    """200 with how many jobs the batch would have. SpecInvalid or BatchInvalid as for what they depend on."""
    project = _project(precedence)
    with current_services().database.read() as connection:
        of_members(connection, project, parsed)
    warnings = tuple(_by_pointer(each for job in parsed.jobs for each in job.warnings))
    size, first = len(parsed.jobs), parsed.jobs[0].as_json
    return json_response(shapes.BatchChecked.of(size=size, first=first, warnings=warnings))


def _project(precedence: int) -> int:
    """The caller's project. What a submission would be refused for is refused here: its precedence, and its key."""
    idempotency_key()
    return caller_for(precedence).project_id


def _by_pointer(warnings: Iterable[Mapping[str, str]]) -> Iterable[shapes.MemberWarnings]:
    """One for each place in the specs: of a thousand jobs most warnings differ in a number alone."""
    found: dict[str, shapes.MemberWarnings] = {}
    for each in warnings:
        place = each["pointer"]
        known = found.setdefault(place, {"pointer": place, "count": 0, "message": each["message"]})
        known["count"] += 1
    return found.values()
