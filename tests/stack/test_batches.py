"""Batches and sweeps through a running service: the client, the command line, packs."""

import json
import subprocess
import sys

import numpy as np
import pytest

from gradyard import Client
from tests.stack.service_processes import Service

pytestmark = pytest.mark.stack


def test_a_sweep_trains_in_packs_and_each_member_has_the_bits_of_a_job_alone(client: Client) -> None:
    batch = client.sweep(
        {"stage": "tensor", "steps": 300}, grid={"learning_rate": [1e-7, 1e-6], "seed": range(20)}, name="forty"
    )
    seen: list[int] = []
    batch = client.wait_batch(batch.id, lambda now: seen.append(now.counts["succeeded"]))
    assert (batch.state, batch.counts["succeeded"], batch.name) == ("finished", 40, "forty")
    assert seen == sorted(seen)
    jobs = list(client.jobs(batch=batch.id))
    assert len(jobs) == 40
    assert max(job.timings["pack_size"] for job in jobs) > 1
    best = client.best(batch.id, limit=5)
    assert [job.loss["last"] for job in best] == sorted(job.loss["last"] for job in jobs)[:5]
    alone = client.wait(client.submit(best[0].spec).id, timeout=300)
    assert np.array_equal(client.losses(alone.id), client.losses(best[0].id))


def test_a_batch_is_exported_with_every_loss_of_every_job(service: Service, client: Client) -> None:
    batch = client.sweep({"stage": "numpy", "steps": 40, "dataset": {"points": 50}}, grid={"seed": range(5)})
    client.wait_batch(batch.id)
    exported = list(client.export(batch.id))
    assert [job.id for job, _ in exported] == sorted(job.id for job in client.jobs(batch=batch.id))
    for job, losses in exported:
        assert job.succeeded
        assert losses.tobytes() == client.losses(job.id).tobytes()
    command = [sys.executable, "-m", "gradyard", "export", batch.id, "--csv", "--url", service.url]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    first, losses = exported[0]
    assert lines[:2] == ["job,step,loss", f"{first.id},0,{losses[0]}"]
    assert len(lines) == 1 + 5 * 40


def test_a_batch_is_cancelled_while_it_trains(client: Client) -> None:
    batch = client.submit_batch([{"stage": "autograd", "steps": 200_000 + number % 2} for number in range(12)])
    assert client.batch(batch.id).counts["queued"] + client.batch(batch.id).counts["running"] > 0
    batch = client.cancel_batch(batch.id)
    assert (batch.state, batch.counts["cancelled"]) == ("finished", 12)


def test_the_command_sweeps_and_shows_the_best(service: Service) -> None:
    command = [sys.executable, "-m", "gradyard", "sweep", "--stage", "optim", "--set", "steps=100"]
    command += ["--url", service.url]
    axes = ["--grid", "optimizer.alpha=0.9,0.99", "--grid", "seed=0:5", "--best", "3"]
    shown = subprocess.run([*command, *axes], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert len([line for line in lines if line.strip().startswith("0")]) == 3
    assert "optimizer.alpha" in shown.stdout
    answer = json.loads(subprocess.run([*command, *axes, "--json"], capture_output=True, text=True, check=True).stdout)
    assert (answer["batch"]["counts"]["succeeded"], len(answer["best"])) == (10, 3)
    drawn = [*command, "--random", "learning_rate=1e-4:1e-2:log", "--samples", "7", "--json"]
    answer = json.loads(subprocess.run(drawn, capture_output=True, text=True, check=True).stdout)
    assert (answer["batch"]["size"], len({job["spec"]["learning_rate"] for job in answer["best"]})) == (7, 7)
    wrong = subprocess.run([*command, "--grid", "steps=0,1"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "job 0: /steps" in wrong.stderr
    assert "steps=0,1" not in wrong.stdout
