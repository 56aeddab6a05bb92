"""A finished job can be checked: trained once more and compared bit for bit, or by the hashes of its receipt."""

import orjson
from flask import Response

from gradyard import shapes
from gradyard.jobs.errors import IllegalMove
from gradyard.jobs.evidence.canonical_json import canonical
from gradyard.jobs.states import FINISHED, State
from gradyard.jobs.submission.parameters import ParametersOfJob
from gradyard.jobs.submission.parse import parse_job
from service.files.of_caller import files_of_caller
from service.http import parameters
from service.http.ids import find_job
from service.http.openapi import REPEATABLE, problems, routes
from service.http.services import current_services
from service.representation.receipts import receipt_of
from service.submission import accept_job

api = routes("rechecks", "/v1/jobs", tag="results")


@api.post(
    "/<job_id>/recheck", responses={"202": shapes.Job, **problems(400, 404, 409, 410, 422, 429)},
    openapi_extensions=REPEATABLE,
)  # fmt: skip
def recheck_job(path: parameters.JobPath, query: parameters.SubmitQuery) -> Response:
    """Train a finished job once more as it was, to compare both bit for bit. `recheck` of both jobs has the verdict.

    With an Idempotency-Key, the same request sent again returns the job of the first request.
    """
    with current_services().database.read() as connection:
        job = find_job(connection, path.job_id)
    if job.state not in FINISHED:
        raise IllegalMove(f"the job is {job.state}; only a finished job can be rechecked")
    if job.state != State.SUCCEEDED and job.diverged_at is None and not job.steps_done:
        raise IllegalMove(f"the job {job.state} before its first record: there is nothing to compare with; retry it")
    parsed = parse_job(orjson.dumps(job.spec), current_services().settings, files_of_caller)
    # As stored: computed anew, they might differ by the version of numpy, and the recheck would be of another job.
    as_stored = parsed._replace(
        as_json=job.spec, sha256=job.spec_sha256, resolved=job.resolved, warnings=job.warnings,
        parameters=ParametersOfJob.of(job.spec, job.resolved),
    )  # fmt: skip
    return accept_job(as_stored, f"a recheck of {job.id}".encode(), recheck_of=job, precedence=query.precedence)


@api.get("/<job_id>/receipt", responses={"200": shapes.Receipt, **problems(404, 409, 410, 422)})
def show_receipt(path: parameters.JobPath, query: parameters.ProjectQuery) -> Response:
    """Show hashes of a finished job's spec, data, versions and result, with which others can check them later.

    The answer is canonical JSON (sorted keys, no white space, UTF-8), the same bytes each time.
    """
    with current_services().database.read() as connection:
        job = find_job(connection, path.job_id)
        if job.state not in FINISHED:
            raise IllegalMove(f"the job is {job.state}; only a finished job has a receipt")
        receipt = receipt_of(connection, job)
        find_job(connection, path.job_id)  # of one that was deleted meanwhile a part may be missing
    return Response(canonical(receipt), content_type="application/json")
