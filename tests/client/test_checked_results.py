"""Retries with other values, rechecks and receipts, as the Client asks for them."""

import json
from typing import Any

import numpy as np
import pytest

from gradyard import Client
from gradyard.client.errors import AnswerNotUnderstood
from tests.client.service_for_tests import FakeService, Said, job

CURVE = {"dtype": "<f4", "count": 2, "sha256": "c0"}
RECEIPT: dict[str, Any] = {
    "receipt": 1, "job": "x", "stage": "nn", "numerics_version": 1, "state": "succeeded", "reason": None,
    "diverged_at": None, "steps_done": 2, "attempts": 1, "engine": "eager", "environment": {"device": "cpu"},
    "times": {"started_at": "2026-11-23T09:00:00Z"}, "spec_sha256": "a", "resolved_sha256": "b",
    "dataset": {"kind": "function", "sha256": "d"}, "coefficients_sha256": None, "scaled_coefficients_sha256": None,
    "losses": CURVE, "metrics": {}, "artifacts": {}, "sha256": "e", "of_a_newer_service": [1],
}  # fmt: skip


def test_a_retry_sends_new_values_and_a_key() -> None:
    with FakeService(lambda _: Said(202, job(retry_of="x"))).running() as service, Client(service.url) as client:
        client.retry("x", set={"learning_rate": np.float64(1e-7), "optimizer.momentum": 0.9})
        client.jobs.retry("x")
    assert json.loads(service.asked[0].body) == {"set": {"learning_rate": 1e-7, "optimizer.momentum": 0.9}}
    assert service.asked[1].body == b""
    assert all(asked.headers["Idempotency-Key"] for asked in service.asked)


def test_a_recheck_is_sent_again_with_the_same_key_and_has_its_verdict_after_the_end() -> None:
    verdict: dict[str, Any] = {"of": "x", "job": "y", "state": "same", "first_different_step": None, "differs_in": [],
               "conditions": {}, "message": "everything is the same"}  # fmt: skip
    answers = iter([
        Said(hang_up=True), Said(202, job(id="y", recheck_of="x")),
        Said(200, job(id="y", recheck_of="x", state="succeeded", recheck=verdict)),
    ])  # fmt: skip
    with FakeService(lambda _: next(answers)).running() as service, Client(service.url) as client:
        made = client.recheck("x")
        ended = client.wait(made.id)
    assert (made.recheck_of, made.recheck) == ("x", None)
    assert ended.recheck == verdict
    assert [asked.path for asked in service.asked[:2]] == ["/v1/jobs/x/recheck"] * 2
    assert len({asked.headers["Idempotency-Key"] for asked in service.asked[:2]}) == 1


def test_a_receipt_keeps_every_field_that_its_hash_is_of() -> None:
    with FakeService(lambda _: Said(200, RECEIPT)).running() as service, Client(service.url) as client:
        receipt = client.receipt("x")
    assert receipt.losses["sha256"] == "c0"
    assert receipt.as_json() == RECEIPT
    with FakeService(lambda _: Said(200, {"job": "x"})).running() as service, Client(service.url) as client:
        with pytest.raises(AnswerNotUnderstood, match="receipt"):
            client.receipt("x")
