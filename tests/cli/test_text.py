"""Numbers, times and reasons as text for people."""

import pytest

from gradyard.cli.text import why_no_losses
from gradyard.shapes import Job
from tests.client.service_for_tests import job


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("queued", "no losses yet"),
        ("running", "no losses yet"),
        ("cancelled", "no losses: it was cancelled before its first step"),
        ("failed", "no losses: it failed (runner_error: it is broken)"),
        ("succeeded", "no losses"),
    ],
)
def test_a_job_without_losses_says_why(state: str, sentence: str) -> None:
    reasons = {"reason": "runner_error", "message": "it is broken"} if state == "failed" else {}
    assert why_no_losses(Job.model_validate(job(state=state, **reasons))) == sentence
