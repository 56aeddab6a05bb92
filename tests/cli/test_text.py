"""Numbers, times and reasons as text for people."""

import pytest

from gradyard.cli.text import figure, why_no_losses
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


@pytest.mark.parametrize(("name", "called"), [
    ("loss_last", "last loss"), ("loss_min", "min loss"), ("train_seconds", "train seconds"),
    ("metrics.val_acc.last", "val_acc"), ("metrics.val_acc.max", "val_acc.max"), ("metrics.top.5.last", "top.5"),
])  # fmt: skip
def test_a_figure_has_the_name_that_people_know(name: str, called: str) -> None:
    assert figure(name) == called
