"""A running service trains jobs once more: what depends on the spec alone is the same, what reads a clock is found."""

import hashlib
import json
import subprocess
import sys
from typing import Any

import pytest

from gradyard import Client
from tests.stack.conftest import READS_THE_CLOCK_FROM_STEP

pytestmark = pytest.mark.stack


def rechecked(client: Client, job_id: str) -> Any:
    """What the recheck of the job has shown, after both have ended."""
    return client.wait(client.recheck(job_id).id).recheck


@pytest.mark.parametrize("stage", ["numpy", "optim"])
def test_a_member_of_a_pack_is_the_same_when_it_is_trained_once_more_alone(client: Client, stage: str) -> None:
    spec = {"stage": stage, "steps": 3000}
    batch = client.wait_batch(client.sweep(spec, grid={"seed": [1, 2, 3], "learning_rate": [1e-6, 2e-6]}).id)
    job = next(iter(client.jobs(batch=batch.id)))
    assert job.timings["pack_size"] > 1
    found = rechecked(client, job.id)
    assert (found["state"], found["conditions"]) == ("same", {})


def test_a_diverged_job_diverges_again_at_the_same_step(client: Client) -> None:
    job = client.wait(client.submit(stage="tensor", learning_rate=1.0).id)
    assert job.reason == "diverged"
    assert rechecked(client, job.id)["state"] == "same"


def test_the_command_compares_jobs_and_prints_the_receipt_of_one(client: Client) -> None:
    jobs = [client.wait(client.submit(stage="nn", steps=200, seed=seed).id) for seed in (1, 2)]

    def gradyard(*words: str) -> str:
        command = [sys.executable, "-m", "gradyard", *words, "--url", client.url]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    found = json.loads(gradyard("compare", *(job.id for job in jobs), "--json"))
    assert found["parameters"] == {"seed": [1, 2]}
    assert [each["steps"][-1] for each in found["losses"]] == [199, 199]
    printed = json.loads(gradyard("receipt", jobs[0].id))
    assert printed == client.receipt(jobs[0].id).as_json()
    assert printed["losses"]["sha256"] == hashlib.sha256(client.losses(jobs[0].id).tobytes()).hexdigest()


def test_a_stage_that_reads_the_clock_is_found_with_the_step(client: Client) -> None:
    job = client.wait(client.submit(stage="walk", steps=100, dtype="float64").id)
    found = rechecked(client, job.id)
    assert (found["state"], found["differs_in"]) == ("differs", ["losses"])
    assert found["first_different_step"] == READS_THE_CLOCK_FROM_STEP
    shown = subprocess.run(
        [sys.executable, "-m", "gradyard", "recheck", job.id, "--wait", "--url", client.url],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (shown.returncode, f"first at step {READS_THE_CLOCK_FROM_STEP}" in shown.stdout) == (1, True), shown.stderr
