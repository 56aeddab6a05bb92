"""Whether what stands in the form is valid, for its script: asked as one types, so that no is an answer like yes.

A browser writes each answer of 400 and over to its console. People type wrong values on their way to right ones.
"""

from io import BytesIO

from flask import Response

from gradyard.jobs.errors import BatchInvalid, SpecInvalid
from gradyard.jobs.submission.batches import is_batch
from gradyard.jobs.submission.parse import parse_job
from service.dashboard.administration.asked import asked
from service.dry_runs import batch_checked, job_checked
from service.files.of_caller import files_of_caller
from service.http.errors import answer_of
from service.http.parameters import SubmitQuery
from service.http.requests import json_body
from service.http.services import current_services
from service.large_batches import batch_in_turn


def check() -> Response:
    """200 with what `?dry_run=true` of the API answers, refused or not; a refusal has `status` 422 and its `errors`."""
    body = json_body()
    try:
        return _checked(body, asked(SubmitQuery).precedence)
    except (SpecInvalid, BatchInvalid) as error:
        return Response(answer_of(error), 200, content_type="application/json")


def _checked(body: bytes, precedence: int) -> Response:
    if not is_batch(body):
        return job_checked(parse_job(body, current_services().settings, files_of_caller), precedence)
    with batch_in_turn(BytesIO(body)) as sweep:
        return batch_checked(sweep, precedence)
