"""A pipeline through a running service: data are prepared, a batch trains on them, and a job evaluates it."""

import pytest

from gradyard import Client, Job
from tests.stack.service_processes import Service, slow_spec
from tests.stack.until import until

pytestmark = pytest.mark.stack

WAIT_SECONDS = 300.0


def began(job: Job) -> float:
    assert job.started_at is not None
    return job.started_at.timestamp()


def ended(job: Job) -> float:
    assert job.finished_at is not None
    return job.finished_at.timestamp()


def test_a_pipeline_runs_in_its_order_though_a_worker_is_killed(service: Service, client: Client) -> None:
    # 4 s: its worker is killed at its begin, and the test waits for its end
    prepare = client.submit(slow_spec(4.0), name="prepare")
    batch = client.sweep({"stage": "nn", "steps": 50}, grid={"seed": range(6)}, depends_on=prepare, name="train")
    evaluate = client.submit(stage="numpy", steps=20, depends_on=[batch], name="evaluate")
    assert evaluate.waiting is not None
    assert evaluate.waiting["reason"] == f"waits for 6 of 6 jobs of batch {batch.id}"
    until(lambda: client.job(prepare).state == "running", [service.pool])
    busy = next(worker for worker in client.workers() if prepare.id in worker.current_jobs)
    service.kill_worker(busy.slot)
    last = client.wait(evaluate, timeout=WAIT_SECONDS)
    assert last.succeeded, last.message
    first, members = client.job(prepare), list(client.jobs(batch=batch.id))
    assert (first.attempt, {job.state for job in members}) == (2, {"succeeded"})
    assert min(map(began, members)) >= ended(first)
    assert began(last) >= max(map(ended, members))
    kinds = [event.kind for event in client.events(evaluate)]
    assert kinds == ["submitted", "released", "claimed", "succeeded"]


def test_what_depends_on_a_job_that_fails_fails_with_it(client: Client) -> None:
    gate = client.submit(slow_spec(300.0))
    first = client.submit(stage="tensor", steps=100, learning_rate=1.0, depends_on={"id": gate, "condition": "ended"})
    batch = client.sweep({"stage": "nn", "steps": 50}, grid={"seed": range(3)}, depends_on=[first])
    last = client.submit(stage="numpy", steps=20, depends_on=batch)
    anyway = client.submit(stage="numpy", steps=20, depends_on={"id": batch, "condition": "ended"})
    client.cancel(gate)
    ended_job = client.wait(last, timeout=WAIT_SECONDS)
    assert (ended_job.state, ended_job.reason) == ("failed", "upstream_failed")
    assert f"batch {batch.id} ended with 3 failed of its 3 jobs" in str(ended_job.message)
    assert f"job {first.id} failed (diverged)" in str(next(client.jobs(batch=batch.id)).message)
    assert client.wait(anyway, timeout=WAIT_SECONDS).succeeded
