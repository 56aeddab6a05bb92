"""The life of a job in a running service: it succeeds, diverges, is cancelled, waits, or is handed back."""

import os
import platform
import signal
import time

import httpx
import numpy as np
import psutil
import pytest

from gradyard import Client, Job, JobNotFound
from tests.stack.service_processes import Service, at_once, disturbed, slow_spec

pytestmark = pytest.mark.stack


def until(client: Client, job_id: str, what: str, seconds: float = 300.0, steps: int = 0) -> Job:
    """Wait until the job is in the state `what` with at least `steps` steps done, and return it."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        job = client.job(job_id)
        if job.state == what and job.steps_done >= steps:
            return job
        time.sleep(0.05)
    raise AssertionError(f"not {what} within {seconds} s: {job}")


def test_a_succeeded_job_has_all_its_results(client: Client) -> None:
    job = client.wait(client.submit({"stage": "tensor", "name": "named", "tags": {"a": "b"}}).id, timeout=300)
    assert (job.state, job.attempt, job.steps_done, job.name) == ("succeeded", 1, 2000, "named")
    assert job.result is not None
    losses = client.losses(job.id)
    assert job.result["loss"] == {
        "first": float(losses[0]), "last": float(losses[-1]), "min": float(losses.min()),
        "min_step": int(losses.argmin()), "diverged_at": None, "attainable": job.loss["attainable"],
    }  # fmt: skip
    timings = job.result["timings"]
    assert (timings["records"], timings["attempts"], timings["pack_size"]) == (1, 1, 1)
    assert timings["train_seconds"] > 0
    environment = job.environment
    assert (environment["engine"], environment["threads"], environment["device"]) == ("eager", 1, "cpu")
    assert [event.to_state for event in client.events(job.id)] == ["queued", "running", "succeeded"]


def test_a_diverging_job_fails_with_its_step_and_keeps_its_finite_losses(service: Service, client: Client) -> None:
    submitted = client.submit(stage="tensor", learning_rate=1e-3)
    assert "3.558e-06" in str(submitted.warnings)
    job = client.wait(submitted.id, timeout=300)
    assert (job.state, job.reason) == ("failed", "diverged")
    assert job.result is not None
    step = job.result["loss"]["diverged_at"]
    assert f"step {step}" in (job.message or "")
    assert "3.558e-06" in (job.message or "")
    losses = client.losses(job.id)
    assert len(losses) == step == job.steps_done
    assert np.isfinite(losses).all()
    text = httpx.get(f"{service.url}/v1/jobs/{job.id}/losses").text
    assert "NaN" not in text
    assert "Infinity" not in text


def test_a_gpu_job_runs_on_the_gpu_queue_and_names_its_device(service: Service, client: Client) -> None:
    job = client.wait(client.submit(stage="autograd", device="gpu", steps=50).id, timeout=300)
    assert job.state == "succeeded", job.message
    assert job.result is not None
    assert job.environment["device"] == "Fake GPU"
    (worker,) = [each for each in client.workers() if each.queue == "gpu" and each.state != "dead"]
    assert worker.device_uuid == f"GPU-fake-0@{platform.node()}"
    runner = service.runner_of("Fake GPU")
    assert runner is not None
    assert runner.environ()["CUDA_VISIBLE_DEVICES"] == "GPU-fake-0"


def test_a_runner_has_no_secret_and_no_address_in_its_environment(service: Service, client: Client) -> None:
    client.wait(client.submit(stage="tensor", steps=2).id, timeout=300)
    runner = service.runner_of("cpu")
    assert runner is not None
    environment = runner.environ()
    assert not {"DATABASE_URL", "REDIS_URL", "CANARY_SECRET", "GRADYARD_ADMIN_KEY"} & set(environment)
    assert environment["OMP_NUM_THREADS"] == "1"
    assert len(runner.cpu_affinity()) == 1


def test_a_running_job_is_cancelled_and_the_next_one_finds_a_warm_runner(service: Service, client: Client) -> None:
    for _ in range(20):  # on a busy machine one runner may be too slow to answer, and is killed
        job = client.submit(slow_spec())
        until(client, job.id, "running", steps=1)
        runner = service.runner_of("cpu")
        assert client.cancel(job.id).state == "cancelled"  # the answer waits up to 0.7 s for the runner
        after = client.wait(client.submit(stage="tensor", steps=2).id, timeout=300)
        assert after.state == "succeeded"
        last = list(client.events(job.id))[-1]
        assert (last.to_state, last.detail in ("while running", "worker silent")) == ("cancelled", True)
        if service.runner_of("cpu") == runner and last.detail == "while running":
            return
    raise AssertionError("no runner stopped training its job in time")


def test_cancelling_one_of_a_pack_leaves_the_others_training(client: Client) -> None:
    blocker = client.submit(slow_spec())
    until(client, blocker.id, "running")
    # Submitted while the only slot is busy, so that they are claimed together.
    spec = slow_spec(4.0)  # one is cancelled at their begin, and the test waits for the end of the others
    pack = [client.submit(spec | {"seed": seed}).id for seed in range(4)]
    client.cancel(blocker.id)
    until(client, pack[0], "running", steps=1)
    assert client.cancel(pack[1]).state == "cancelled"
    rest = [client.wait(job, timeout=300) for job in (pack[0], pack[2], pack[3])]
    assert [(job.state, job.attempt) for job in rest] == [("succeeded", 1)] * 3
    assert rest[0].result is not None
    assert rest[0].result["timings"]["pack_size"] == 4


def test_members_of_a_pack_get_the_bits_that_they_get_alone(client: Client) -> None:
    blocker = client.submit(slow_spec())
    until(client, blocker.id, "running")
    spec = {"stage": "optim", "steps": 400, "dataset": {"kind": "function", "points": 333}}
    members = [spec | {"seed": seed, "learning_rate": 1e-3 * (1 + seed)} for seed in range(3)]
    diverging = spec | {"seed": 9, "optimizer": {"name": "rmsprop", "eps": 1e-30, "alpha": 0.0}, "learning_rate": 1e30}
    together = [client.submit(member).id for member in [*members, diverging]]
    client.cancel(blocker.id)
    packed = [client.wait(job, timeout=300) for job in together]
    assert [job.state for job in packed] == ["succeeded"] * 3 + ["failed"]
    assert packed[3].reason == "diverged"
    for member, job in zip(members, packed[:3], strict=True):
        alone = client.wait(client.submit(member).id, timeout=300)
        assert client.losses(alone.id).tobytes() == client.losses(job.id).tobytes()
        assert alone.result is not None
        assert job.result is not None
        assert alone.result["coefficients"] == job.result["coefficients"]
        assert (alone.result["timings"]["pack_size"], job.result["timings"]["pack_size"]) == (1, 4)


def test_a_stopping_worker_hands_back_and_the_next_goes_on_bit_for_bit(service: Service, client: Client) -> None:
    spec, ended = disturbed(client, lambda: os.kill(service.worker_main("cpu-0").pid, signal.SIGTERM))
    whole = client.wait(client.submit(at_once(spec)).id, timeout=300)
    assert (ended.state, ended.attempt) == ("succeeded", 2)
    assert "the worker stops" in [event.detail for event in client.events(ended.id)]
    assert client.losses(ended.id).tobytes() == client.losses(whole.id).tobytes()
    assert ended.result is not None
    assert whole.result is not None
    assert ended.result["coefficients"] == whole.result["coefficients"]


def test_a_killed_main_process_is_followed_by_a_fork_and_costs_no_bits(service: Service, client: Client) -> None:
    loaded = list[int]()

    def kill_main() -> None:
        main = service.worker_main("cpu-0")
        loaded.append(main.ppid())
        main.kill()

    spec, ended = disturbed(client, kill_main)
    whole = client.wait(client.submit(at_once(spec)).id, timeout=300)
    assert (ended.state, ended.attempt) == ("succeeded", 2)
    assert client.losses(ended.id).tobytes() == client.losses(whole.id).tobytes()
    assert service.worker_main("cpu-0").ppid() == loaded[-1]


def test_a_killed_runner_costs_an_attempt_and_no_bits(service: Service, client: Client) -> None:
    def kill_runner() -> None:
        runner = service.runner_of("cpu")
        assert runner is not None
        runner.kill()

    spec, ended = disturbed(client, kill_runner)
    whole = client.wait(client.submit(at_once(spec)).id, timeout=300)
    assert (ended.state, ended.attempt) == ("succeeded", 2)
    assert "the runner died of SIGKILL" in [event.detail for event in client.events(ended.id)]
    assert client.losses(ended.id).tobytes() == client.losses(whole.id).tobytes()


def test_a_killed_worker_takes_its_runner_along_and_its_slot_goes_on(service: Service, client: Client) -> None:
    def kill_worker() -> None:
        runner = service.runner_of("cpu")
        assert runner is not None
        service.kill_worker("cpu-0")
        psutil.wait_procs([runner], timeout=60)
        assert not runner.is_running() or runner.status() == psutil.STATUS_ZOMBIE

    _, ended = disturbed(client, kill_worker)
    assert (ended.state, ended.attempt) == ("succeeded", 2)
    assert "its worker process died" in [event.detail for event in client.events(ended.id)]


def test_a_job_over_its_time_limit_fails_as_timed_out(client: Client) -> None:
    job = client.wait(client.submit(slow_spec(timeout_seconds=1.0)).id, timeout=300)
    assert (job.state, job.reason) == ("failed", "timeout")
    assert "timeout_seconds, 1 s" in (job.message or "")


def test_a_job_whose_trainer_raises_has_logs_and_can_be_retried_and_deleted(client: Client) -> None:
    job = client.wait(client.submit(stage="tensor", name="raises").id, timeout=300)
    assert (job.state, job.reason) == ("failed", "error")
    assert "raises on purpose" in (job.message or "")
    output = client.logs(job.id)[-1]
    assert output.attempt == job.attempt
    assert "a line before the error" in output.text
    assert "Traceback" in output.text
    assert "sitecustomize.py" in output.text
    again = client.wait(client.retry(job.id).id, timeout=300)
    assert (again.state, again.retry_of) == ("failed", job.id)
    client.delete(job.id)
    with pytest.raises(JobNotFound, match="deleted"):
        client.job(job.id)


def test_a_job_for_a_pool_without_workers_waits_and_shows_why(client: Client) -> None:
    job = client.job(client.submit(stage="tensor", pool="nowhere").id)
    assert job.state == "queued"
    assert "nowhere" in str(job.waiting)
    assert client.cancel(job.id).state == "cancelled"


def test_progress_is_seen_while_a_job_runs(client: Client) -> None:
    job = client.submit(slow_spec())
    seen: list[int] = []

    def note(now: Job) -> None:
        if now.state != "running":
            return  # a cancelled job has the steps alone that were recorded
        seen.append(now.steps_done)
        if now.steps_done:
            client.cancel(job.id)  # enough was seen

    client.wait(job.id, timeout=300, on_progress=note)
    assert seen == sorted(seen)
    assert len({steps for steps in seen if 0 < steps < job.steps}) >= 1
